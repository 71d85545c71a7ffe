/* The generator was given one header and not the other. */
#ifndef DISK_H
#define DISK_H
#include "poll.h"

int coroutine_fn disk_co_read(int sector);
int co_wrapper_mixed disk_read(int sector); /* near miss: block-gen.c defines it */

#endif
