/*
 * Whoever comes back from a function that asserts a context is in that context: of several such calls, the first is
 * the finding.
 */
#include "co.h"

static void asserts_outside(void)
{
    assert(!qemu_in_coroutine()); /* expect: warning assert-without-mark: asserts_outside */
    plain_leaf();
}

static void asserts_in_turn(void)
{
    asserts_outside();
}

static void perhaps_asserts(int x)
{
    if (x) {
        assert(!qemu_in_coroutine());
    }
}

int coroutine_mixed_fn three_in_a_row(void)
{
    asserts_outside(); /* expect: warning blocking-call: asserts_outside */
    asserts_outside(); /* near miss: only the outside comes here */
    return block_leaf(); /* near miss: likewise */
}

int coroutine_mixed_fn in_one_branch(int x)
{
    if (x) {
        asserts_outside(); /* expect: warning blocking-call: asserts_outside */
    }
    return block_leaf(); /* expect: warning blocking-call: block_leaf */
}

int coroutine_mixed_fn perhaps_asserted(int x)
{
    perhaps_asserts(x);
    return block_leaf(); /* expect: warning blocking-call: block_leaf */
}

int coroutine_mixed_fn through_another(void)
{
    asserts_in_turn();
    return block_leaf(); /* near miss: only the outside comes here */
}

int coroutine_mixed_fn guarded_call(void)
{
    if (!qemu_in_coroutine()) {
        asserts_outside(); /* near miss: outside */
    } else {
        co_leaf(); /* near miss: in a coroutine */
    }
    return 0;
}

int coroutine_mixed_fn outside_is_left(void)
{
    asserts_outside(); /* expect: warning blocking-call: asserts_outside */
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}
