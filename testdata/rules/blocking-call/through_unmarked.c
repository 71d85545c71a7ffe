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
    return blocks(); /* expect: error blocking-call: leads to `no_coroutine_fn` `block_leaf` */
}

int coroutine_fn two_steps(void)
{
    return blocks_in_turn(); /* expect: error blocking-call: `blocks_in_turn` calls `blocks` */
}

int coroutine_fn guarded_step(void)
{
    return blocks_outside(); /* near miss: a coroutine takes the other way */
}

int no_coroutine_fn outside(void)
{
    return blocks_in_turn(); /* near miss: outside it may block */
}

/* A cycle is gone round once. */
static int odd(int n);

static int even(int n)
{
    return n ? odd(n - 1) : block_leaf();
}

static int odd(int n)
{
    return n ? even(n - 1) : 0;
}

int coroutine_fn into_a_cycle(int n)
{
    return odd(n); /* expect: error blocking-call: `odd` calls `even` */
}

static int around(int n)
{
    return n ? around(n - 1) : mixed_leaf(); /* near miss: a cycle that never blocks */
}

int coroutine_fn into_a_harmless_cycle(int n)
{
    return around(n);
}

/* Two calls of one function are one thing to fix. */
int coroutine_fn twice(void)
{
    int first = blocks(); /* expect: error blocking-call: call of `blocks` here too */
    return first + blocks();
}

/* Where the predicate holds, the context is known without a mark. */
int perhaps_in_a_coroutine(void)
{
    if (qemu_in_coroutine()) {
        return blocks(); /* expect: error blocking-call: in coroutine context in */
    }
    return blocks(); /* near miss: outside */
}

/* What never returns ends the program: whether it waits before that does not matter. */
__attribute__((noreturn)) void give_up(void);

void give_up(void)
{
    block_leaf();
    abort();
}

int coroutine_fn gives_up(int n)
{
    if (n) {
        give_up(); /* near miss */
    }
    return co_leaf();
}
