/* An assert that it is outside, in a function that marked ones call. */
#include "co.h"

static int asserts_outside(void)
{
    assert(!qemu_in_coroutine()); /* expect: warning assert-without-mark: asserts_outside */
    return plain_leaf();
}

static int unmarked_callers_only(void)
{
    assert(!qemu_in_coroutine()); /* near miss: no caller bears a mark */
    return plain_leaf();
}

int no_callers(void)
{
    assert(!qemu_in_coroutine()); /* near miss: no caller at all */
    return plain_leaf();
}

static int no_coroutine_fn marked(void)
{
    assert(!qemu_in_coroutine()); /* near miss: assert and mark agree */
    return block_leaf();
}

static int returns_before(int x)
{
    if (x) {
        return 0;
    }
    assert(!qemu_in_coroutine()); /* near miss: not on every path */
    return plain_leaf();
}

int no_coroutine_fn marked_caller(void)
{
    return asserts_outside() + marked() + returns_before(1); /* near miss: outside, as asserted */
}

int unmarked_caller(void)
{
    return unmarked_callers_only() + marked(); /* near miss: nobody says this runs in a coroutine */
}
