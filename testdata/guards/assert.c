/*
 * assert() refines what follows it.  The asserts stand under a condition or
 * after a return, because one that runs on every path would be a mark.
 */
#include "co.h"

int asserted(int x)
{
    if (x) {
        assert(qemu_in_coroutine());
        return co_leaf(); /* near miss: the failing arm does not return */
    }
    return 0;
}

int asserted_after_return(int x)
{
    if (x) {
        return 0;
    }
    assert(qemu_in_coroutine());
    return co_leaf(); /* near miss: the failing arm does not return */
}

int asserted_not_hit(int x)
{
    if (x) {
        return 0;
    }
    assert(!qemu_in_coroutine());
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int asserted_too_late_hit(int x)
{
    int r;

    if (x) {
        return 0;
    }
    r = co_leaf(); /* expect: error coroutine-call: co_leaf */
    assert(qemu_in_coroutine());
    return r;
}

int asserted_on_another_path_hit(int x)
{
    if (x) {
        assert(qemu_in_coroutine());
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int asserted_conjunction(int n, int x, int y)
{
    if (n) {
        assert(x && qemu_in_coroutine() && !y);
        return co_leaf(); /* near miss: every conjunct holds */
    }
    return 0;
}

int asserted_conjunction_not_hit(int n, int x, int y)
{
    if (n) {
        assert(x && !qemu_in_coroutine() && y);
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int asserted_disjunction_hit(int x)
{
    assert(qemu_in_coroutine() || x);
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int asserted_negated_disjunction(int n, int x)
{
    if (n) {
        assert(!(x || !qemu_in_coroutine()));
        return co_leaf(); /* near miss: both disjuncts are false */
    }
    return 0;
}

int asserted_something_else_hit(int x)
{
    assert(x);
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int asserted_comparison(int n)
{
    if (n) {
        assert(qemu_in_coroutine() == true);
        return co_leaf(); /* near miss: a comparison with a constant */
    }
    return 0;
}

int call_inside_the_assert_hit(void)
{
    assert(co_leaf() == 0); /* expect: error coroutine-call: co_leaf */
    return 0;
}

int guarded_call_inside_the_assert(void)
{
    assert(!qemu_in_coroutine() || co_leaf()); /* near miss: evaluated in a coroutine only */
    return 0;
}

int asserted_in_a_loop_hit(int x)
{
    while (x--) {
        assert(qemu_in_coroutine());
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}
