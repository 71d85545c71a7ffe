/* A weak body gives way to one that is not. */
#include "co.h"

int __attribute__((weak)) hook(void)
{
    return block_leaf(); /* near miss: the other body is linked */
}

int __attribute__((weak)) only_hook(void)
{
    return block_leaf(); /* near miss: who calls it is elsewhere */
}

int coroutine_fn calls_hook(void)
{
    return hook(); /* near miss */
}

int coroutine_fn calls_only_hook(void)
{
    return only_hook(); /* expect: error blocking-call: block_leaf */
}
