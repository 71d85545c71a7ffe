#include "co.h"

static int f(void)
{
    return block_leaf();
}

int no_coroutine_fn outside(void);
int no_coroutine_fn outside(void)
{
    return f();
}
