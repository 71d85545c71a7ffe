/* Definitions in the style of K&R. */
#include "co.h"

#ifdef __clang__
#pragma clang diagnostic ignored "-Wdeprecated-non-prototype"
#endif

int coroutine_fn old_marked(sector)
    int sector;
{
    return dev_co_read(sector); /* near miss: marked */
}

int old_unmarked(sector)
    int sector;
{
    return dev_co_read(sector); /* expect: error coroutine-call: dev_co_read */
}

int no_coroutine_fn old_outside(first, second)
    int first;
    int second;
{
    return old_marked(first) + second; /* expect: error coroutine-call: old_marked */
}
