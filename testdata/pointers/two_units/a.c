/* Variables of other units, and static ones of the same name. */
#include "two_units.h"

static void blocks(void)
{
    block_leaf();
}

static void harmless(void)
{
    plain_leaf();
}

/* The other unit's `hook` is another variable. */
static work *hook = blocks;
work *const table[] = { harmless, blocks };
work *set_by_b;

void coroutine_fn calls_hook_of_a(void)
{
    hook(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn calls_set_by_b(void)
{
    set_by_b(); /* expect: warning blocking-call: blocks_in_b */
}

void coroutine_fn calls_through_inline(struct shared *s)
{
    run_shared(s); /* expect: warning blocking-call: blocks_in_b */
}
