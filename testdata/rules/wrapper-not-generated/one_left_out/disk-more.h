#ifndef DISK_MORE_H
#define DISK_MORE_H
#include "disk.h"

int coroutine_fn disk_co_trim(int sector);
int co_wrapper_mixed disk_trim(int sector); /* expect: error wrapper-not-generated: disk_trim */

int coroutine_fn disk_co_map(int sector);
int co_wrapper disk_map(int sector); /* near miss: written by hand, which is another mistake */

#endif
