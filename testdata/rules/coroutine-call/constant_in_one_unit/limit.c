/* The unit that defines the constant. */
#include "limit.h"

int no_coroutine_fn before_the_definition(void)
{
    if (limit) {
        return co_leaf(); /* near miss: this file defines it, below */
    }
    return beyond_the_limit_hit() + beyond_its_own_limit();
}

const int limit = 0;
