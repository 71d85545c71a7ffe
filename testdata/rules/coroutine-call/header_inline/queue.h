/* A static inline function is one entity however many units include it. */
#ifndef QUEUE_H
#define QUEUE_H

#include "co.h"

static inline int queue_wait(void)
{
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

static inline int coroutine_fn queue_co_wait(void)
{
    return co_leaf(); /* near miss: marked */
}

static inline int queue_size(void)
{
    return plain_leaf(); /* near miss: demands nothing */
}

#endif
