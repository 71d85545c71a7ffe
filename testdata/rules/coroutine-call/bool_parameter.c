/* The caller decides, through a parameter that nobody changes. */
#include "co.h"

int decided_by_caller(bool in_coroutine)
{
    if (in_coroutine) {
        return co_leaf(); /* expect: warning coroutine-call: co_leaf */
    }
    return dev_flush();
}

int decided_by_a_number(int in_coroutine)
{
    if (in_coroutine) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return dev_flush();
}

int coroutine_fn decided_inside(bool fast)
{
    if (fast) {
        return co_leaf(); /* near miss: always in a coroutine */
    }
    return dev_co_flush(); /* near miss: likewise */
}
