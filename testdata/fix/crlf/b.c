#include "late.h"
#include "co.h"

int late(void)
{
    return co_leaf();
}

int coroutine_fn run_b(void);
int coroutine_fn run_b(void)
{
    return late();
}
