/* The advice speaks of all that reaches the function, slots included. */
#include "co.h"

struct driver {
    int coroutine_fn (*co_run)(int x);
    int (*run)(int x);
};

static int only_in_a_coroutine_slot(int x)
{
    return co_leaf() + x; /* expect: error coroutine-call: all its callers run in coroutine context */
}

static int in_a_plain_slot_too(int x)
{
    return co_leaf() + x; /* expect: error coroutine-call: if it only runs in coroutine context */
}

const struct driver drivers[] = {
    { .co_run = only_in_a_coroutine_slot },
    { .co_run = in_a_plain_slot_too, .run = in_a_plain_slot_too },
};

int coroutine_fn co_runs(void)
{
    return in_a_plain_slot_too(1);
}
