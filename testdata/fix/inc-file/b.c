#include "co.h"

#define VARIANT(name) name##_b
#include "shared.c.inc"

int coroutine_fn run_b(void);
int coroutine_fn run_b(void)
{
    return leaf() + step_b(1);
}
