/* A coroutine that knows what it is calls the target, not the mixed wrapper. */
#include "co.h"

int coroutine_fn calls_wrapper(void)
{
    return dev_read(1); /* expect: warning mixed-call: dev_co_read */
}

int coroutine_fn calls_wrapper_twice(void)
{
    int r = dev_read(1); /* expect: warning mixed-call: dev_co_read */

    return r + dev_read(2); /* expect: warning mixed-call: dev_co_read */
}

int coroutine_fn calls_locking_wrapper(void)
{
    return dev_write(1); /* expect: warning mixed-call: dev_co_write */
}

int coroutine_fn calls_target(void)
{
    return dev_co_read(1) + dev_co_write(1); /* near miss: the targets */
}

int coroutine_mixed_fn calls_from_either(void)
{
    return dev_read(1); /* near miss: it does not know what it is */
}

int calls_from_unmarked(void)
{
    return dev_read(1); /* near miss: nobody knows what it is */
}

int no_coroutine_fn calls_from_outside(void)
{
    return dev_read(1); /* near miss: outside only the wrapper will do */
}
