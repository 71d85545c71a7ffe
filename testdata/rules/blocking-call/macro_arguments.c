/* Calls in the arguments of a macro have one location, and pass different constants. */
#include "co.h"

#define both(a, b) ((a) && (b))

static int blocks_if_two(int mode)
{
    return mode == 2 ? block_leaf() : 0;
}

static int blocks_unless_one(int mode)
{
    return mode == 1 ? 0 : block_leaf();
}

int coroutine_fn one_and_two_hit(void)
{
    return both(blocks_if_two(1) == 0, blocks_if_two(2) == 0); /* expect: error blocking-call: blocks_if_two */
}

int coroutine_fn one_and_any_hit(void)
{
    return both(blocks_unless_one(1), blocks_unless_one(plain_leaf())); /* expect: error blocking-call: blocks_unless_one */
}

int coroutine_fn one_and_one(void)
{
    return both(blocks_unless_one(1) == 0, blocks_unless_one(1) == 0); /* near miss: the same constant */
}
