/* The predicate's answer kept in a variable. */
#include "co.h"

void set_flag(bool *flag);

int kept(void)
{
    bool in = qemu_in_coroutine();

    if (in) {
        return co_leaf(); /* near miss: the variable still holds the answer */
    }
    return 0;
}

int kept_const(void)
{
    const bool in = qemu_in_coroutine();

    if (!in) {
        return plain_leaf();
    }
    return co_leaf(); /* near miss: the others have returned */
}

int kept_else_hit(void)
{
    bool in = qemu_in_coroutine();

    if (in) {
        return plain_leaf();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int kept_negated(void)
{
    bool outside = !qemu_in_coroutine();

    if (!outside) {
        return co_leaf(); /* near miss: two negations cancel out */
    }
    return 0;
}

int kept_negated_hit(void)
{
    bool outside = !qemu_in_coroutine();

    if (outside) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int reassigned_hit(void)
{
    bool in = qemu_in_coroutine();

    in = plain_leaf();
    if (in) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int reassigned_on_one_path_hit(int x)
{
    bool in = qemu_in_coroutine();

    if (x) {
        in = true;
    }
    if (in) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int or_assigned_hit(int x)
{
    bool in = qemu_in_coroutine();

    in |= x;
    if (in) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int address_taken_hit(void)
{
    bool in = qemu_in_coroutine();

    set_flag(&in);
    if (in) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int weaker_than_the_answer_hit(int x)
{
    bool in = qemu_in_coroutine() || x;

    if (in) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int kept_in_a_conjunction(int x)
{
    bool in = qemu_in_coroutine();

    return x && in && co_leaf(); /* near miss: the variable holds the answer */
}

int shadowed_hit(int x)
{
    bool in = qemu_in_coroutine();

    if (in != x) {
        bool in = x;

        if (in) {
            return co_leaf(); /* expect: error coroutine-call: co_leaf */
        }
    }
    return 0;
}

int kept_for_a_loop(void)
{
    bool in = qemu_in_coroutine();

    while (in) {
        if (co_leaf()) { /* near miss: the condition holds in the body */
            break;
        }
    }
    return 0;
}

int asserted_variable(int x)
{
    bool in = qemu_in_coroutine();

    if (x) {
        assert(in);
        return co_leaf(); /* near miss: asserted through the variable */
    }
    return 0;
}
