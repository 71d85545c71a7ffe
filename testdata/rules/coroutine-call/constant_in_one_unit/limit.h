/* A constant that another file defines: a header does not know its value, whoever includes it. */
#ifndef LIMIT_H
#define LIMIT_H
#include "co.h"

extern const int limit;
extern const int own_limit;
const int own_limit = 0;

static inline int no_coroutine_fn beyond_the_limit_hit(void)
{
    if (limit) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

static inline int no_coroutine_fn beyond_its_own_limit(void)
{
    if (own_limit) {
        return co_leaf(); /* near miss: this file defines it */
    }
    return 0;
}

#endif
