/* A wrapper that is missing is declared beside the prototype of its target. */
#include "dev.h"

int no_coroutine_fn outside(void);
int no_coroutine_fn outside(void)
{
    return dev_co_trim(1, 2) + dev_co_zero(3);
}

/* Near miss: its name does not say how the wrapper would be called. */
int no_coroutine_fn outside_too(void);
int no_coroutine_fn outside_too(void)
{
    return trim_without_infix(1);
}
