/* A branch that never comes back leaves the other one's knowledge behind. */
#include "co.h"

int early_return(void)
{
    if (!qemu_in_coroutine()) {
        return -1;
    }
    return co_leaf(); /* near miss: the others have returned */
}

int early_return_without_braces(void)
{
    if (!qemu_in_coroutine())
        return -1;
    return co_leaf(); /* near miss: the others have returned */
}

int early_return_hit(void)
{
    if (qemu_in_coroutine()) {
        return -1;
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int early_return_in_else(void)
{
    if (qemu_in_coroutine()) {
        plain_leaf();
    } else {
        return -1;
    }
    return co_leaf(); /* near miss: the else branch has returned */
}

int return_on_one_path_hit(int x)
{
    if (!qemu_in_coroutine()) {
        if (x) {
            return -1;
        }
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int return_on_both_paths(int x)
{
    if (!qemu_in_coroutine()) {
        if (x) {
            return -1;
        } else {
            return -2;
        }
    }
    return co_leaf(); /* near miss: no path through the branch comes back */
}

int return_among_disjuncts(int a, int b)
{
    if (a || !qemu_in_coroutine() || b) {
        return -1;
    }
    return co_leaf(); /* near miss: all three were false */
}

int return_among_conjuncts_hit(int a)
{
    if (a && !qemu_in_coroutine()) {
        return -1;
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int else_if_return(int x)
{
    if (x) {
        return -1;
    } else if (!qemu_in_coroutine()) {
        return -2;
    }
    return co_leaf(); /* near miss: two kinds have returned */
}

int abort_call(int x)
{
    if (x) {
        return -1;
    }
    if (!qemu_in_coroutine()) {
        abort();
    }
    return co_leaf(); /* near miss: abort() does not return */
}

int abort_in_the_wrong_branch_hit(int x)
{
    if (x) {
        return -1;
    }
    if (qemu_in_coroutine()) {
        abort();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int gnu_noreturn(int x)
{
    if (x) {
        return -1;
    }
    if (!qemu_in_coroutine()) {
        die_gnu();
    }
    return co_leaf(); /* near miss: __attribute__((noreturn)) */
}

int c11_noreturn(int x)
{
    if (x) {
        return -1;
    }
    if (!qemu_in_coroutine()) {
        die_c11();
    }
    return co_leaf(); /* near miss: _Noreturn */
}

static _Noreturn void die_here(void)
{
    for (;;) {
        plain_leaf();
    }
}

int own_noreturn(int x)
{
    if (x) {
        return -1;
    }
    if (!qemu_in_coroutine()) {
        die_here();
    }
    return co_leaf(); /* near miss: a _Noreturn function of this file */
}

int unreachable_builtin(int x)
{
    if (x) {
        return -1;
    }
    if (!qemu_in_coroutine()) {
        __builtin_unreachable();
    }
    return co_leaf(); /* near miss: the branch is declared impossible */
}

int ordinary_call_hit(int x)
{
    if (x) {
        return -1;
    }
    if (!qemu_in_coroutine()) {
        plain_leaf();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int conditional_noreturn_hit(int x)
{
    if (!qemu_in_coroutine() && x) {
        die_gnu();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int noreturn_in_a_ternary(int x)
{
    if (x) {
        return -1;
    }
    qemu_in_coroutine() ? (void)0 : die_gnu();
    return co_leaf(); /* near miss: the failing arm does not return */
}

int break_among_disjuncts(int a, int b)
{
    while (plain_leaf()) {
        if (a || !qemu_in_coroutine() || b) {
            break;
        }
        co_leaf(); /* near miss: all three were false */
    }
    return 0;
}

int break_among_conjuncts_hit(int a)
{
    while (plain_leaf()) {
        if (a && !qemu_in_coroutine()) {
            break;
        }
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int continue_when_outside(void)
{
    while (plain_leaf()) {
        if (!qemu_in_coroutine()) {
            continue;
        }
        co_leaf(); /* near miss: the others went on to the next round */
    }
    return 0;
}

int continue_when_inside_hit(void)
{
    while (plain_leaf()) {
        if (qemu_in_coroutine()) {
            continue;
        }
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}
