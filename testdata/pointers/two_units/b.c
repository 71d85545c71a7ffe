#include "two_units.h"

static void harmless(void)
{
    plain_leaf();
}

static void blocks_in_b(void)
{
    block_leaf();
}

static work *hook = harmless;

void coroutine_fn calls_hook_of_b(void)
{
    hook(); /* near miss */
}

void coroutine_fn calls_table(int i)
{
    table[i](); /* expect: warning blocking-call: blocks */
}

void set(struct shared *s)
{
    set_by_b = blocks_in_b;
    set_shared(s, blocks_in_b);
}
