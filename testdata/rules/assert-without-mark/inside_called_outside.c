/* The inferred mark binds callers that are known to be outside. */
#include "co.h"

static int asserts_inside(void)
{
    assert(qemu_in_coroutine()); /* expect: warning assert-without-mark: asserts_inside */
    return co_leaf();
}

static int asserts_on_one_path(int x)
{
    if (x) {
        return 0;
    }
    assert(qemu_in_coroutine()); /* near miss: not on every path, nothing is inferred */
    return co_leaf();
}

int no_coroutine_fn outside(void)
{
    return asserts_inside(); /* expect: error coroutine-call: inferred */
}

int no_coroutine_fn outside_one_path(void)
{
    return asserts_on_one_path(1); /* near miss: nothing is inferred */
}

int coroutine_fn inside(void)
{
    return asserts_inside() + asserts_on_one_path(0); /* near miss: a coroutine */
}
