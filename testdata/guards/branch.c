/* if and else, with every way to spell the condition. */
#include "co.h"

int then_branch(void)
{
    if (qemu_in_coroutine()) {
        return co_leaf(); /* near miss: only in a coroutine */
    }
    return plain_leaf();
}

int else_branch(void)
{
    if (qemu_in_coroutine()) {
        return plain_leaf();
    } else {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
}

int negated(void)
{
    if (!qemu_in_coroutine()) {
        return plain_leaf();
    } else {
        return co_leaf(); /* near miss: the else branch of the negation */
    }
}

int negated_hit(void)
{
    if (!qemu_in_coroutine()) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return plain_leaf();
}

int twice_negated(void)
{
    if (!!qemu_in_coroutine()) {
        return co_leaf(); /* near miss: two negations cancel out */
    }
    return 0;
}

int thrice_negated_hit(void)
{
    if (!!!qemu_in_coroutine()) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int parenthesised(void)
{
    if (((qemu_in_coroutine()))) {
        return co_leaf(); /* near miss: parentheses change nothing */
    }
    return 0;
}

int parenthesised_negation_hit(void)
{
    if ((!(qemu_in_coroutine()))) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int with_likely(void)
{
    if (likely(qemu_in_coroutine())) {
        return co_leaf(); /* near miss: a hint to the compiler is no condition */
    }
    return 0;
}

int with_unlikely(void)
{
    if (unlikely(!qemu_in_coroutine())) {
        return plain_leaf();
    }
    return co_leaf(); /* near miss: the other branch has returned */
}

int with_unlikely_hit(void)
{
    if (unlikely(!qemu_in_coroutine())) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int conjunction(int x, int y)
{
    if (x && qemu_in_coroutine() && y) {
        return co_leaf(); /* near miss: all three hold */
    }
    return 0;
}

int conjunction_else_hit(int x)
{
    if (x && !qemu_in_coroutine()) {
        return plain_leaf();
    } else {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
}

int disjunction_hit(int x)
{
    if (x || qemu_in_coroutine()) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int disjunction_else(int x)
{
    if (x || !qemu_in_coroutine()) {
        return plain_leaf();
    } else {
        return co_leaf(); /* near miss: both disjuncts are false */
    }
}

int disjunction_of_conjunctions(int x, int y)
{
    if ((x && qemu_in_coroutine()) || (qemu_in_coroutine() && y)) {
        return co_leaf(); /* near miss: either way in a coroutine */
    }
    return 0;
}

int disjunction_of_conjunctions_hit(int x, int y)
{
    if ((x && qemu_in_coroutine()) || y) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int negated_conjunction(int x)
{
    if (!(x && qemu_in_coroutine())) {
        return plain_leaf();
    }
    return co_leaf(); /* near miss: the negation failed, so both hold */
}

int negated_disjunction_hit(int x)
{
    if (!(x || qemu_in_coroutine())) {
        return plain_leaf();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int nested(int x)
{
    if (qemu_in_coroutine()) {
        if (x) {
            return plain_leaf();
        } else {
            return co_leaf(); /* near miss: still inside the outer branch */
        }
    }
    return 0;
}

int after_the_join_hit(void)
{
    int r;

    if (qemu_in_coroutine()) {
        r = 1;
    } else {
        r = 2;
    }
    return r + co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int without_braces_hit(void)
{
    if (qemu_in_coroutine())
        plain_leaf();
    co_leaf(); /* expect: error coroutine-call: co_leaf */
    return 0;
}

int empty_then(void)
{
    if (!qemu_in_coroutine())
        ;
    else
        co_leaf(); /* near miss: the else branch of the negation */
    return 0;
}

int else_if_chain(int x)
{
    if (x) {
        return 1;
    } else if (qemu_in_coroutine()) {
        return co_leaf(); /* near miss: the second condition holds */
    } else {
        return plain_leaf();
    }
}

int else_if_chain_hit(int x)
{
    if (qemu_in_coroutine()) {
        return 1;
    } else if (x) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int in_the_condition_itself_hit(void)
{
    if (co_leaf()) { /* expect: error coroutine-call: co_leaf */
        return qemu_in_coroutine();
    }
    return 0;
}

int another_condition_hit(int in_coroutine)
{
    if (in_coroutine) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}
