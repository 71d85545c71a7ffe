/* Where control never is, nothing is reported. */
#include "co.h"

#define TRACING 0

int after_return(void)
{
    return plain_leaf();
    co_leaf(); /* near miss: never reached */
}

int after_abort(void)
{
    abort();
    return co_leaf(); /* near miss: never reached */
}

int after_endless_loop(void)
{
    for (;;) {
        plain_leaf();
    }
    return co_leaf(); /* near miss: never reached */
}

int after_endless_while(int x)
{
    while (1) {
        if (x) {
            return plain_leaf();
        }
    }
    return co_leaf(); /* near miss: never reached */
}

int after_endless_loop_with_break_hit(int x)
{
    for (;;) {
        if (x) {
            break;
        }
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int after_goto(void)
{
    goto out;
    co_leaf(); /* near miss: never reached */
out:
    return 0;
}

int label_after_return_hit(int x)
{
    if (x) {
        goto more;
    }
    return plain_leaf();
more:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int if_zero(void)
{
    if (0) {
        return co_leaf(); /* near miss: never true */
    }
    return 0;
}

int if_false_macro(void)
{
    if (TRACING) {
        return co_leaf(); /* near miss: never true */
    }
    return 0;
}

int if_one_hit(void)
{
    if (1) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int if_one_else(void)
{
    if (1) {
        return plain_leaf();
    } else {
        return co_leaf(); /* near miss: never false */
    }
}

int while_zero(void)
{
    while (0) {
        co_leaf(); /* near miss: the body never runs */
    }
    return 0;
}

int do_while_zero_hit(void)
{
    do {
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    } while (0);
    return 0;
}

int both_at_once(void)
{
    if (qemu_in_coroutine()) {
        if (!qemu_in_coroutine()) {
            return co_leaf(); /* near miss: nobody is inside and outside */
        }
    }
    return 0;
}

int neither(void)
{
    if (qemu_in_coroutine()) {
        return 1;
    }
    if (!qemu_in_coroutine()) {
        return 2;
    }
    return co_leaf(); /* near miss: everybody has returned */
}

int after_switch_that_returns(int x)
{
    switch (x) {
    case 0:
        return 1;
    default:
        return 2;
    }
    return co_leaf(); /* near miss: every case has returned */
}

int case_after_return_hit(int x)
{
    switch (x) {
    case 0:
        return 1;
    case 1:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 2;
}

int between_switch_and_case(int x)
{
    switch (x) {
        co_leaf(); /* near miss: no label leads here */
    case 0:
        return 1;
    }
    return 2;
}

int goto_into_dead_code_hit(int x)
{
    if (x) {
        goto inside;
    }
    if (0) {
inside:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int no_coroutine_fn dead_in_marked(void)
{
    if (qemu_in_coroutine()) {
        return co_leaf(); /* near miss: a function for the outside is never inside */
    }
    return 0;
}
