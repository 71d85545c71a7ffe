/* A unit that sees the prototypes only. */
#include "lock.h"

int coroutine_fn user_co_run(void)
{
    lock_take(); /* expect: error blocking-call: inferred */
    return co_leaf();
}

int no_coroutine_fn user_run(void)
{
    lock_take(); /* near miss: outside, as asserted */
    lock_take_marked(); /* near miss: likewise */
    return 0;
}
