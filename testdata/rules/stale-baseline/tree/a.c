/* A finding that is in the baseline, and one that is new. */
#include "co.h"

int coroutine_fn disk_co_wait(int disk);
int coroutine_fn disk_co_wait(int disk)
{
    qemu_coroutine_yield();
    return disk;
}

int known(int disk)
{
    return disk_co_wait(disk);
}

int new(int disk)
{
    return disk_co_wait(disk); /* expect: error coroutine-call */
}
