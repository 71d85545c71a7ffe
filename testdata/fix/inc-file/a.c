#include "co.h"

#define VARIANT(name) name##_a
#include "shared.c.inc"

int coroutine_fn run_a(void);
int coroutine_fn run_a(void)
{
    return leaf() + step_a(1);
}
