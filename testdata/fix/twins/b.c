#include "co.h"

static int step(void)
{
    return co_leaf();
}

int coroutine_fn run_b(void);
int coroutine_fn run_b(void)
{
    return step();
}
