/* The predicate as a loop's condition, and loops that are left by break. */
#include "co.h"

int while_predicate(void)
{
    while (qemu_in_coroutine()) {
        if (co_leaf()) { /* near miss: the condition holds in the body */
            break;
        }
    }
    return 0;
}

int after_while_predicate_hit(void)
{
    while (qemu_in_coroutine()) {
        plain_leaf();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int while_not_predicate(void)
{
    while (!qemu_in_coroutine()) {
        plain_leaf();
    }
    return co_leaf(); /* near miss: the loop ends in a coroutine only */
}

int while_not_predicate_body_hit(void)
{
    while (!qemu_in_coroutine()) {
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int while_not_predicate_with_break_hit(int x)
{
    while (!qemu_in_coroutine()) {
        if (x) {
            break;
        }
        plain_leaf();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int while_not_predicate_inner_break(int x)
{
    while (!qemu_in_coroutine()) {
        while (x) {
            if (plain_leaf()) {
                break;
            }
        }
    }
    return co_leaf(); /* near miss: the break leaves the inner loop only */
}

int while_conjunction(int x)
{
    while (x && qemu_in_coroutine()) {
        x = co_leaf(); /* near miss: both conjuncts hold */
    }
    return 0;
}

int after_while_conjunction_hit(int x)
{
    while (x && !qemu_in_coroutine()) {
        x = plain_leaf();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int do_while_not_predicate(void)
{
    do {
        plain_leaf();
    } while (!qemu_in_coroutine());
    return co_leaf(); /* near miss: the loop ends in a coroutine only */
}

int do_while_body_hit(void)
{
    do {
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    } while (qemu_in_coroutine());
    return 0;
}

int do_while_with_break_hit(int x)
{
    do {
        if (x) {
            break;
        }
    } while (!qemu_in_coroutine());
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int do_while_with_continue(int x)
{
    do {
        if (x) {
            continue;
        }
        plain_leaf();
    } while (!qemu_in_coroutine());
    return co_leaf(); /* near miss: continue goes to the condition */
}

int do_once(void)
{
    do {
        if (!qemu_in_coroutine()) {
            return 0;
        }
    } while (0);
    return co_leaf(); /* near miss: the body ran once, and the others returned */
}

int do_once_with_break_hit(void)
{
    do {
        if (!qemu_in_coroutine()) {
            break;
        }
        plain_leaf();
    } while (0);
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int do_once_before_the_break(void)
{
    do {
        if (!qemu_in_coroutine()) {
            break;
        }
        co_leaf(); /* near miss: the others broke out */
    } while (0);
    return 0;
}

int for_ever_break(void)
{
    for (;;) {
        if (qemu_in_coroutine()) {
            break;
        }
        plain_leaf();
    }
    return co_leaf(); /* near miss: the only way out is in a coroutine */
}

int for_ever_two_breaks_hit(int x)
{
    for (;;) {
        if (qemu_in_coroutine()) {
            break;
        }
        if (x) {
            break;
        }
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int for_ever_wrong_break_hit(void)
{
    for (;;) {
        if (!qemu_in_coroutine()) {
            break;
        }
        plain_leaf();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int for_predicate(void)
{
    for (; qemu_in_coroutine(); ) {
        co_leaf(); /* near miss: the condition holds in the body */
    }
    return 0;
}

int after_for_predicate_hit(void)
{
    for (; qemu_in_coroutine(); ) {
        plain_leaf();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int for_increment(void)
{
    for (; plain_leaf(); co_leaf()) { /* near miss: the body lets coroutines through only */
        if (!qemu_in_coroutine()) {
            break;
        }
    }
    return 0;
}

int for_increment_hit(void)
{
    for (; plain_leaf(); co_leaf()) { /* expect: error coroutine-call: co_leaf */
        if (!qemu_in_coroutine()) {
            continue;
        }
        plain_leaf();
    }
    return 0;
}

int for_initialiser_hit(void)
{
    for (int i = co_leaf(); qemu_in_coroutine() && i; i--) { /* expect: error coroutine-call: co_leaf */
        plain_leaf();
    }
    return 0;
}

int loop_inside_a_guard(int x)
{
    if (qemu_in_coroutine()) {
        while (x--) {
            co_leaf(); /* near miss: every round is inside the guard */
        }
    }
    return 0;
}

int second_round_hit(int x)
{
    while (x--) {
        co_leaf(); /* expect: error coroutine-call: co_leaf */
        if (!qemu_in_coroutine()) {
            return 0;
        }
    }
    return 0;
}
