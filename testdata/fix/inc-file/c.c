/* Here the same text is called outside of coroutines: it must not be marked. */
#include "co.h"
#include "two_ways.c.inc"

int coroutine_fn run_c(void);
int coroutine_fn run_c(void)
{
    return two_ways();
}
