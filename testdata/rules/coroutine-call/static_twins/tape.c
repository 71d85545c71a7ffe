/* ... and here it demands nothing. */
#include "co.h"

static int transfer(void)
{
    return plain_leaf(); /* near miss: another function than the one of disk.c */
}

int tape_run(void)
{
    return transfer(); /* near miss: this transfer demands nothing */
}

int no_coroutine_fn tape_run_outside(void)
{
    return transfer(); /* near miss: likewise */
}
