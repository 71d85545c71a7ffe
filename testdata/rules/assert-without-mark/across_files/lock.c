/* The asserts are known to the whole program. */
#include "lock.h"

void lock_take(void)
{
    assert(!qemu_in_coroutine()); /* expect: warning assert-without-mark: lock_take */
    plain_leaf();
}

void no_coroutine_fn lock_take_marked(void)
{
    assert(!qemu_in_coroutine()); /* near miss: assert and mark agree */
    plain_leaf();
}
