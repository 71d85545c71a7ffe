/* ... and this one is not. */
#include "co.h"

static int drain(void)
{
    return plain_leaf(); /* near miss: another function than the one of sync.c */
}

int coroutine_fn async_co_run(void)
{
    return drain(); /* near miss: this drain demands nothing */
}
