#ifndef DISK_H
#define DISK_H
#include "poll.h"

int coroutine_fn disk_co_read(int sector);
int co_wrapper_mixed disk_read(int sector);

void coroutine_fn disk_co_trim(int sector);
void co_wrapper disk_trim(int sector);

#endif
