/* The conditional operator. */
#include "co.h"

int true_arm(void)
{
    return qemu_in_coroutine() ? co_leaf() : plain_leaf(); /* near miss: the arm for coroutines */
}

int false_arm_hit(void)
{
    return qemu_in_coroutine() ? plain_leaf() : co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int negated_false_arm(void)
{
    return !qemu_in_coroutine() ? plain_leaf() : co_leaf(); /* near miss: the negation is false there */
}

int negated_true_arm_hit(void)
{
    return !qemu_in_coroutine() ? co_leaf() : 0; /* expect: error coroutine-call: co_leaf */
}

int other_condition_hit(int x)
{
    return x ? co_leaf() : 0; /* expect: error coroutine-call: co_leaf */
}

int in_the_condition_hit(void)
{
    return co_leaf() ? 1 : 0; /* expect: error coroutine-call: co_leaf */
}

int nested_arms(int x)
{
    return qemu_in_coroutine() ? (x ? co_leaf() : 1) : 0; /* near miss: the outer arm decides */
}

int nested_arms_hit(int x)
{
    return x ? (qemu_in_coroutine() ? 1 : co_leaf()) : 0; /* expect: error coroutine-call: co_leaf */
}

int conjunction_arm(int x)
{
    return x && qemu_in_coroutine() ? co_leaf() : 0; /* near miss: both conjuncts hold */
}

int conjunction_other_arm_hit(int x)
{
    return x && !qemu_in_coroutine() ? 0 : co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int as_an_argument(void)
{
    return abs(qemu_in_coroutine() ? co_leaf() : 0); /* near miss: refined inside an argument too */
}

int after_the_operator_hit(void)
{
    int r = qemu_in_coroutine() ? 1 : 0;

    return r + co_leaf(); /* expect: error coroutine-call: co_leaf */
}
