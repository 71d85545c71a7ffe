/* A guard makes the context known, in a function without marks too. */
#include "co.h"

int misguarded(void)
{
    if (qemu_in_coroutine()) {
        return block_leaf(); /* expect: error blocking-call: block_leaf */
    }
    return 0;
}

int misguarded_return(void)
{
    if (!qemu_in_coroutine()) {
        return block_leaf(); /* near miss: the outside */
    }
    return dev_flush(); /* expect: error blocking-call: dev_flush */
}

int guarded(void)
{
    return qemu_in_coroutine() ? co_leaf() : block_leaf(); /* near miss: each arm on its side */
}
