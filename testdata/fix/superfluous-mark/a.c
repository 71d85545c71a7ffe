/* Marks that nothing asks for, from the bottom up. */
#include "co.h"

static int coroutine_fn lowest(int n)
{
    return n + 1;
}

int coroutine_fn above(int n,
                       int m);
int coroutine_fn above(int n,
                       int m)
{
    return lowest(n);
}

int coroutine_fn suspends(void);
int coroutine_fn suspends(void)
{
    return above(1, 2) + co_leaf();
}
