/* What a mark lets be seen, and is as grave, is a reason against it. */
#include "co.h"

static int helper(void)
{
    return block_leaf();
}

static int other(void)
{
    return plain_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    co_leaf();
    return helper() + other();
}
