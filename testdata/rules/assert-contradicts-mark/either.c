/* A function marked either must not assert one side on every path. */
#include "co.h"

int coroutine_mixed_fn asserts_outside(void)
{
    assert(!qemu_in_coroutine()); /* expect: warning assert-contradicts-mark: asserts_outside */
    return plain_leaf();
}

int coroutine_mixed_fn asserts_inside(void)
{
    assert(qemu_in_coroutine()); /* expect: warning assert-contradicts-mark: asserts_inside */
    return plain_leaf();
}

int coroutine_mixed_fn asserts_on_one_path(int x)
{
    if (x) {
        return 0;
    }
    assert(!qemu_in_coroutine()); /* near miss: not on every path */
    return plain_leaf();
}

int coroutine_mixed_fn asserts_one_of_two(int x)
{
    assert(qemu_in_coroutine() || x); /* near miss: says nothing about the side */
    return plain_leaf();
}

int coroutine_mixed_fn asserts_in_a_branch(int x)
{
    if (x) {
        assert(qemu_in_coroutine()); /* near miss: not on every path */
        return co_leaf();
    } else {
        return mixed_leaf();
    }
}
