/* What blocks, blocks through unmarked functions as well. */
#include "co.h"

static int blocks(void)
{
    return block_leaf(); /* near miss: the coroutine that gets here is elsewhere */
}

static int blocks_in_turn(void)
{
    return blocks(); /* near miss: likewise */
}

static int blocks_outside(void)
{
    if (!qemu_in_coroutine()) {
        return block_leaf(); /* near miss: guarded */
    }
    return co_leaf();
}

int coroutine_fn one_step(void)
{
    return blocks(); /* later, through the whole program: error blocking-call */
}

int coroutine_fn two_steps(void)
{
    return blocks_in_turn(); /* later, through the whole program: error blocking-call */
}

int coroutine_fn guarded_step(void)
{
    return blocks_outside(); /* near miss: a coroutine takes the other way */
}

int no_coroutine_fn outside(void)
{
    return blocks_in_turn(); /* near miss: outside it may block */
}
