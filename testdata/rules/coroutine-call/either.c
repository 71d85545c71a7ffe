/* In a function marked either, each unguarded call is a finding of its own. */
#include "co.h"

int coroutine_mixed_fn unguarded(void)
{
    int r = co_leaf(); /* expect: error coroutine-call: co_leaf */

    return r + dev_co_read(r); /* expect: error coroutine-call: dev_co_read */
}

int coroutine_mixed_fn guarded(void)
{
    if (qemu_in_coroutine()) {
        return dev_co_read(1); /* near miss: guarded */
    }
    return dev_read(1); /* near miss: the wrapper */
}

int coroutine_mixed_fn half_guarded(int x)
{
    if (x && !qemu_in_coroutine()) {
        return dev_read(1); /* near miss: the wrapper */
    }
    return dev_co_read(1); /* expect: error coroutine-call: dev_co_read */
}
