/* The real one asserts. */
#include "lock.h"

void take_main_lock(void)
{
    assert(!qemu_in_coroutine()); /* expect: warning assert-without-mark: take_main_lock */
}

int coroutine_fn co_user(void)
{
    take_main_lock(); /* expect: error blocking-call: inferred */
    return co_leaf();
}
