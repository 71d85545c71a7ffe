/* An assert documents where a function runs; it does not replace the mark. */
#include "co.h"

int asserts_inside(void)
{
    assert(qemu_in_coroutine()); /* expect: warning assert-without-mark: asserts_inside */
    return co_leaf() + dev_co_read(1); /* near miss: the finding is at the assert */
}

int asserts_after_preparation(int x)
{
    int r = x + plain_leaf();

    assert(qemu_in_coroutine()); /* expect: warning assert-without-mark: asserts_after_preparation */
    return r + co_leaf(); /* near miss: the finding is at the assert */
}

int asserts_like_glib(void)
{
    g_assert(qemu_in_coroutine()); /* expect: warning assert-without-mark: asserts_like_glib */
    return co_leaf(); /* near miss: the finding is at the assert */
}

int coroutine_fn marked(void)
{
    assert(qemu_in_coroutine()); /* near miss: assert and mark agree */
    return co_leaf();
}

int demands_nothing(void)
{
    assert(qemu_in_coroutine()); /* near miss: calls nothing that demands a coroutine */
    return plain_leaf();
}

int returns_before(int x)
{
    if (x) {
        return 0;
    }
    assert(qemu_in_coroutine()); /* near miss: not on every path */
    return co_leaf();
}

int asserts_on_one_path(int x)
{
    if (x) {
        assert(qemu_in_coroutine()); /* near miss: not on every path */
        return co_leaf();
    }
    return 0;
}

int asserts_in_a_loop(int x)
{
    while (x--) {
        assert(qemu_in_coroutine()); /* near miss: the loop may run zero times */
        co_leaf();
    }
    return 0;
}
