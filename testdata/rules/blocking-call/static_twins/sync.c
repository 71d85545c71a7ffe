/* This drain() is for the outside only ... */
#include "co.h"

static int no_coroutine_fn drain(void)
{
    return block_leaf(); /* near miss: marked here */
}

int coroutine_fn sync_co_run(void)
{
    return drain(); /* expect: error blocking-call: drain */
}

int sync_run(void)
{
    return drain(); /* near miss: nobody says this runs in a coroutine */
}
