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

/* As many stores as are listed, and two more. */
static int stored_often(void)
{
    return co_leaf(); /* expect: error coroutine-call: and 2 more */
}

struct often { int (*run)(void); };
const struct often often[] = {
    { stored_often }, { stored_often }, { stored_often }, { stored_often }, { stored_often },
    { stored_often }, { stored_often }, { stored_often }, { stored_often }, { stored_often },
};
