/* A coroutine calls what must not run in one. */
#include "co.h"

int coroutine_fn calls_blocking(void)
{
    return block_leaf(); /* expect: error blocking-call: block_leaf */
}

int coroutine_fn calls_twice(void)
{
    int r = block_leaf(); /* expect: error blocking-call: block_leaf */

    return r + block_leaf(); /* expect: error blocking-call: block_leaf */
}

int coroutine_fn calls_wrapper(void)
{
    return dev_flush(); /* expect: error blocking-call: dev_flush */
}

int coroutine_fn calls_target(void)
{
    return dev_co_flush(); /* near miss: the target of the wrapper */
}

int coroutine_fn calls_no_co_wrapper(void)
{
    return dev_co_open(); /* near miss: a wrapper made for coroutines */
}

int coroutine_fn calls_plain(void)
{
    return plain_leaf() + dev_open(); /* near miss: nothing is known of them */
}

int no_coroutine_fn blocks_outside(void)
{
    return block_leaf() + dev_flush(); /* near miss: outside it may block */
}

int blocks_unmarked(void)
{
    return block_leaf() + dev_flush(); /* near miss: nobody says this runs in a coroutine */
}
