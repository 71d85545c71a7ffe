/* A prototype in a generated file cannot be marked by hand. */
#include "co.h"

#include "block-gen.c"

int generated_prototype(void)
{
    return co_leaf();
}

static int by_hand(void)
{
    return co_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return generated_prototype() + by_hand();
}
