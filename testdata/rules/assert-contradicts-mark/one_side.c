/* An assert against the mark's own side. */
#include "co.h"

int coroutine_fn inside_asserts_outside(void)
{
    assert(!qemu_in_coroutine()); /* expect: warning assert-contradicts-mark: inside_asserts_outside */
    return plain_leaf();
}

int no_coroutine_fn outside_asserts_inside(void)
{
    g_assert(qemu_in_coroutine()); /* expect: warning assert-contradicts-mark: outside_asserts_inside */
    return plain_leaf();
}

int coroutine_fn inside_asserts_inside(void)
{
    assert(qemu_in_coroutine()); /* near miss: assert and mark agree */
    return co_leaf();
}

int no_coroutine_fn outside_asserts_outside(void)
{
    g_assert(!qemu_in_coroutine()); /* near miss: assert and mark agree */
    return block_leaf();
}

int coroutine_fn asserts_something_else(int x)
{
    assert(!x); /* near miss: not about coroutines */
    return co_leaf();
}
