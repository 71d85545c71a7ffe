/* Two functions that call each other. */
#include "co.h"

static int odd(int n);

static int even(int n)
{
    return n ? odd(n - 1) : co_leaf();
}

static int odd(int n)
{
    return n ? even(n - 1) : co_leaf();
}

int coroutine_fn run(int n);
int coroutine_fn run(int n)
{
    return even(n);
}
