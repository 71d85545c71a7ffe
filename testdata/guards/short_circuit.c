/* Calls inside && and ||: refined only where the conjunct holds. */
#include "co.h"

int after_and(void)
{
    return qemu_in_coroutine() && co_leaf(); /* near miss: evaluated in a coroutine only */
}

int after_negation_and_hit(void)
{
    return !qemu_in_coroutine() && co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int after_or_hit(void)
{
    return qemu_in_coroutine() || co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int after_negation_or(void)
{
    return !qemu_in_coroutine() || co_leaf(); /* near miss: the left side was false */
}

int before_and_hit(void)
{
    return co_leaf() && qemu_in_coroutine(); /* expect: error coroutine-call: co_leaf */
}

int last_of_three(int x)
{
    return x && qemu_in_coroutine() && co_leaf(); /* near miss: the second conjunct holds */
}

int middle_of_three(int x)
{
    return qemu_in_coroutine() && co_leaf() && x; /* near miss: the first conjunct holds */
}

int middle_of_three_hit(int x)
{
    return x && co_leaf() && qemu_in_coroutine(); /* expect: error coroutine-call: co_leaf */
}

int after_disjunction_hit(int x)
{
    return (qemu_in_coroutine() || x) && co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int after_failed_conjunction_hit(int x)
{
    return (!qemu_in_coroutine() && x) || co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int after_failed_disjunction(int x)
{
    return (x || !qemu_in_coroutine()) || co_leaf(); /* near miss: every part was false */
}

void as_a_statement(void)
{
    (void)(qemu_in_coroutine() && co_leaf()); /* near miss: a guard needs no if */
}

int inside_an_if(void)
{
    if (qemu_in_coroutine() && co_leaf()) { /* near miss: guarded within the condition */
        return 1;
    }
    return 0;
}

int next_statement_hit(void)
{
    int r = qemu_in_coroutine() && plain_leaf();

    return r + co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int bitwise_hit(void)
{
    return qemu_in_coroutine() & co_leaf(); /* expect: error coroutine-call: co_leaf */
}
