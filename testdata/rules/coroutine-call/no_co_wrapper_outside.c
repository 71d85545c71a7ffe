/* The mirror image: a wrapper for coroutines, called from the outside. */
#include "co.h"

/* The mark of the wrapper alone makes it coroutine only. */
int no_co_wrapper gate_co_open(void);
int gate_open(void);

int no_coroutine_fn calls_no_co_wrapper(void)
{
    return gate_co_open(); /* expect: error coroutine-call: gate_co_open */
}

int no_coroutine_fn calls_the_target(void)
{
    return gate_open(); /* near miss: the target runs anywhere */
}

int coroutine_fn calls_it_inside(void)
{
    return gate_co_open(); /* near miss: made for coroutines */
}
