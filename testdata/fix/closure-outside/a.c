/* A caller outside of coroutines: no mark makes that right. */
#include "co.h"

static int f(void)
{
    return co_leaf();
}

static int g(void)
{
    return f();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return g();
}

int no_coroutine_fn outside(void);
int no_coroutine_fn outside(void)
{
    return g();
}
