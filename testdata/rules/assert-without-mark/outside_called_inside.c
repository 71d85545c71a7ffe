/* The inferred mark makes the call of a coroutine a blocking one. */
#include "co.h"

static int asserts_outside(void)
{
    g_assert(!qemu_in_coroutine()); /* expect: warning assert-without-mark: asserts_outside */
    return plain_leaf();
}

static int returns_before(int x)
{
    if (x) {
        return 0;
    }
    g_assert(!qemu_in_coroutine()); /* near miss: not on every path */
    return plain_leaf();
}

int coroutine_fn inside(void)
{
    return asserts_outside(); /* expect: error blocking-call: inferred */
}

int coroutine_fn inside_one_path(void)
{
    return returns_before(1); /* near miss: nothing is inferred */
}
