/* In a function marked either, an unguarded blocking call is a warning. */
#include "co.h"

int coroutine_mixed_fn unguarded(void)
{
    return block_leaf(); /* expect: warning blocking-call: block_leaf */
}

int coroutine_mixed_fn unguarded_twice(void)
{
    int r = block_leaf(); /* expect: warning blocking-call: block_leaf */

    return r + dev_flush(); /* expect: warning blocking-call: dev_flush */
}

int coroutine_mixed_fn guarded(void)
{
    if (qemu_in_coroutine()) {
        return co_leaf(); /* near miss: the inside */
    }
    return block_leaf(); /* near miss: the outside */
}

int coroutine_mixed_fn misguarded(void)
{
    if (qemu_in_coroutine()) {
        return dev_flush(); /* expect: error blocking-call: dev_flush */
    }
    return dev_flush(); /* near miss: the outside */
}
