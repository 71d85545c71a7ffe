/* A call that returns in one context only: what is behind it runs in that context. */
#include "co.h"

static void check_outside(void)
{
    assert(!qemu_in_coroutine()); /* expect: warning assert-without-mark: unmarked `check_outside` asserts non-coroutine context */
}

static void check_inside(void)
{
    assert(qemu_in_coroutine());
}

static void check_through_another(int x)
{
    if (x) {
        plain_leaf();
    }
    check_inside(); /* expect: error coroutine-call: coroutine-only `check_inside` called from unmarked `check_through_another` */
}

static void check_on_one_path(int x)
{
    if (x) {
        check_inside(); /* expect: error coroutine-call: coroutine-only `check_inside` called from unmarked `check_on_one_path` */
    }
}

int behind_a_check(void)
{
    check_inside(); /* expect: error coroutine-call: coroutine-only `check_inside` called from unmarked `behind_a_check` */
    return co_leaf(); /* near miss: the others did not come back */
}

int behind_the_wrong_check_hit(void)
{
    check_outside();
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int before_a_check_hit(void)
{
    int r = co_leaf(); /* expect: error coroutine-call: co_leaf */

    check_inside();
    return r;
}

int behind_a_check_of_a_callee(int x)
{
    check_through_another(x);
    if (x) {
        return co_leaf(); /* near miss: the others did not come back */
    }
    return 0;
}

int behind_half_a_check_hit(int x)
{
    check_on_one_path(x);
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int behind_a_check_on_one_path_hit(int x)
{
    if (x) {
        check_inside(); /* expect: error coroutine-call: coroutine-only `check_inside` called from unmarked `behind_a_check_on_one_path_hit` */
    }
    return co_leaf(); /* part of the same finding: the check is on one path only */
}

int in_each_arm_another(void)
{
    if (qemu_in_coroutine()) {
        check_inside();
        return co_leaf(); /* near miss: guarded anyway */
    }
    check_outside();
    return block_leaf();
}

int coroutine_fn only_the_first_hit(void)
{
    check_outside(); /* expect: error blocking-call: check_outside */
    block_leaf(); /* near miss: the call before it does not come back */
    return block_leaf(); /* near miss: nor here */
}

int coroutine_fn a_mark_is_no_check_hit(void)
{
    block_leaf(); /* expect: error blocking-call: block_leaf */
    return block_leaf(); /* expect: error blocking-call: block_leaf */
}

static void stops(void)
{
    block_leaf();
    abort();
}

static int may_stop(int x)
{
    if (x) {
        block_leaf();
        plain_leaf();
        abort();
    }
    return plain_leaf();
}

int coroutine_fn calls_what_stops(int x)
{
    stops(); /* near miss: what it waits for ends the program */
    return may_stop(x); /* near miss: the same on one path */
}

static int may_wait(int x)
{
    if (x) {
        block_leaf();
        for (;;) {
            plain_leaf();
        }
    }
    return plain_leaf();
}

int coroutine_fn calls_what_goes_on_for_ever_hit(int x)
{
    return may_wait(x); /* expect: error blocking-call: may_wait */
}

int coroutine_fn stops_itself_hit(void)
{
    block_leaf(); /* expect: error blocking-call: block_leaf */
    abort();
}
