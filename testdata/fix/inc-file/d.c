#include "co.h"
#include "two_ways.c.inc"

int no_coroutine_fn run_d(void);
int no_coroutine_fn run_d(void)
{
    return two_ways();
}
