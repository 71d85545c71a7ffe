/* A function without a mark calls one that demands a coroutine. */
#include "co.h"

int no_callers(void)
{
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int coroutine_fn marked(void)
{
    return co_leaf(); /* near miss: the caller bears the mark */
}

static int called_from_coroutines(void)
{
    return co_leaf() + co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int coroutine_fn first_caller(void)
{
    return called_from_coroutines(); /* near miss: a coroutine may call an unmarked function */
}

int coroutine_fn second_caller(void)
{
    return called_from_coroutines(); /* near miss: likewise */
}

static int called_from_both(void)
{
    int r = co_leaf(); /* expect: error coroutine-call: co_leaf */

    return r + dev_co_read(r); /* near miss: guarding or splitting cures both, so it is the finding above */
}

int coroutine_fn inside_caller(void)
{
    return called_from_both(); /* near miss: see called_from_both */
}

int no_coroutine_fn outside_caller(void)
{
    return called_from_both(); /* near miss: see called_from_both */
}

int calls_others(void)
{
    return plain_leaf() + mixed_leaf() + dev_read(1) + block_leaf(); /* near miss: none demands a coroutine */
}
