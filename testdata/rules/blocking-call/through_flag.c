/* A condition on a boolean parameter is decided by the constants that callers pass, through several levels. */
#include "co.h"

static int step(bool may_block)
{
    if (may_block) {
        return block_leaf(); /* near miss here: callers say when */
    }
    return 0;
}

static int passes_on(bool may_block)
{
    return step(may_block);
}

int coroutine_fn says_no(void)
{
    return step(false) + passes_on(false); /* near miss: never blocks */
}

int coroutine_fn says_yes(void)
{
    return step(true); /* expect: error blocking-call: leads to `no_coroutine_fn` `block_leaf` */
}

int coroutine_fn says_yes_in_two_steps(void)
{
    return passes_on(true); /* expect: error blocking-call: `passes_on` calls `step` */
}

int coroutine_fn says_when(void)
{
    return step(!qemu_in_coroutine()); /* near miss: it is in one */
}

/* A marked function's own parameter: whoever calls it decides. */
static int coroutine_fn decided(bool may_block)
{
    if (may_block) {
        return block_leaf(); /* near miss: nobody passes true */
    }
    return step(may_block);
}

int coroutine_fn decides(void)
{
    return decided(false);
}

int coroutine_fn undecided(bool may_block)
{
    return step(may_block); /* expect: warning blocking-call: depends on the value of a parameter */
}
