/* Marks that arrive through another macro, and several marks at once. */
#include "co.h"

#define IO_PATH coroutine_fn
#define DEFINE_CO_HANDLER(name) int coroutine_fn name(void)
#define SLOW_PATH no_coroutine_fn

int IO_PATH marked_through_macro(void)
{
    return co_leaf(); /* near miss: IO_PATH is the mark */
}

DEFINE_CO_HANDLER(whole_declaration)
{
    return co_leaf(); /* near miss: the mark is part of the macro */
}

int SLOW_PATH outside_through_macro(void)
{
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int calls_them(void)
{
    return marked_through_macro(); /* expect: error coroutine-call: marked_through_macro */
}

int calls_the_other(void)
{
    return whole_declaration(); /* expect: error coroutine-call: whole_declaration */
}

int no_coroutine_fn coroutine_mixed_fn both_marks(void)
{
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int coroutine_fn calls_both_marks(void)
{
    return both_marks(); /* near miss: outside-only and either together are either */
}

int coroutine_fn coroutine_fn twice_the_same(void)
{
    return co_leaf(); /* near miss: the same mark twice is one mark */
}
