/* What is known at a jump is known at its label, unless another jump knows something else. */
#include "co.h"

int flag_at_a_label(int x)
{
    bool inside = qemu_in_coroutine();

    if (x) {
        goto out;
    }
    plain_leaf();
out:
    if (inside) {
        return co_leaf(); /* near miss: all who come here know whether they are in a coroutine */
    }
    return 0;
}

int flag_changed_before_one_jump_hit(int x)
{
    bool inside = qemu_in_coroutine();

    if (x) {
        inside = true;
        goto out;
    }
    plain_leaf();
out:
    if (inside) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int flag_set_to_the_same(int x)
{
    bool inside = false;

    if (!qemu_in_coroutine()) {
        goto out;
    }
    inside = true;
    if (x) {
        goto out;
    }
    plain_leaf();
out:
    if (inside) {
        return co_leaf(); /* near miss: it is set in coroutines only */
    }
    return 0;
}

int flag_in_a_loop_of_gotos(int n)
{
    bool inside = qemu_in_coroutine();

again:
    if (inside) {
        co_leaf(); /* near miss: the loop never changes it */
    }
    if (n--) {
        goto again;
    }
    return 0;
}

int flag_changed_in_a_loop_of_gotos_hit(int n)
{
    bool inside = qemu_in_coroutine();

again:
    if (inside) {
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    if (n--) {
        inside = plain_leaf();
        goto again;
    }
    return 0;
}

int flag_in_a_loop(int n)
{
    bool inside = qemu_in_coroutine();

    while (n--) {
        if (inside) {
            co_leaf(); /* near miss: each round sets it to what it was */
        }
        inside = qemu_in_coroutine();
    }
    return 0;
}

int out_of_nested_loops(int x, int y)
{
    bool done = false;

    for (int i = 0; i < x; i++) {
        for (int j = 0; j < y; j++) {
            if (!qemu_in_coroutine()) {
                done = true;
                goto out;
            }
            if (plain_leaf()) {
                goto out;
            }
        }
        if (plain_leaf()) {
            continue;
        }
        plain_leaf();
    }
    return 0;
out:
    if (!done) {
        return co_leaf(); /* near miss: the others set the flag */
    }
    return 0;
}

int into_a_loop_hit(int x)
{
    if (x) {
        goto inside;
    }
    while (qemu_in_coroutine()) {
        plain_leaf();
inside:
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int into_a_loop_for_coroutines(int x)
{
    if (x && qemu_in_coroutine()) {
        goto inside;
    }
    while (qemu_in_coroutine()) {
        plain_leaf();
inside:
        co_leaf(); /* near miss: the jump and the loop are for coroutines */
    }
    return 0;
}

int several_labels(int x)
{
    if (!qemu_in_coroutine()) {
        goto one;
    }
    if (x) {
        goto two;
    }
    goto three;
one:
    return plain_leaf();
two:
three:
    return co_leaf(); /* near miss: the others go to another label */
}

int several_labels_fall_through_hit(int x)
{
    if (!qemu_in_coroutine()) {
        goto one;
    }
    if (x) {
        goto two;
    }
    return 0;
one:
    plain_leaf();
two:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int out_of_a_statement_expression(void)
{
    int r = ({
        if (!qemu_in_coroutine()) {
            goto out;
        }
        plain_leaf();
    });

    return r + co_leaf(); /* near miss: the others left */
out:
    return 0;
}

int loop_condition_after_continue(int n)
{
    bool inside;

    do {
        inside = true;
        if (plain_leaf()) {
            continue;
        }
        inside = qemu_in_coroutine();
    } while (n-- && !inside);
    if (!inside) {
        return block_leaf();
    }
    return 0;
}
