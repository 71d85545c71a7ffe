/* Guards inside comma expressions and statement expressions. */
#include "co.h"

int comma(void)
{
    if (plain_leaf(), qemu_in_coroutine()) {
        return co_leaf(); /* near miss: the last operand is the condition */
    }
    return 0;
}

int comma_hit(int x)
{
    if (qemu_in_coroutine(), x) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int comma_call_hit(int x)
{
    return x ? (plain_leaf(), co_leaf()) : 0; /* expect: error coroutine-call: co_leaf */
}

int comma_call(void)
{
    return qemu_in_coroutine() ? (plain_leaf(), co_leaf()) : 0; /* near miss: the arm is guarded */
}

int assert_then_call(int x)
{
    return x ? (assert(qemu_in_coroutine()), co_leaf()) : 0; /* near miss: asserted just before */
}

int call_then_assert_hit(int x)
{
    int r = 0;

    return x ? (r = co_leaf(), assert(qemu_in_coroutine()), r) : 0; /* expect: error coroutine-call: co_leaf */
}

int statement_expression(void)
{
    return ({
        int r = 0;
        if (qemu_in_coroutine()) {
            r = co_leaf(); /* near miss: guarded inside the expression */
        }
        r;
    });
}

int statement_expression_hit(void)
{
    return ({
        int r = 0;
        if (!qemu_in_coroutine()) {
            r = co_leaf(); /* expect: error coroutine-call: co_leaf */
        }
        r;
    });
}

int leaving_statement_expression(void)
{
    int r = ({
        if (!qemu_in_coroutine()) {
            return -1;
        }
        plain_leaf();
    });

    return r + co_leaf(); /* near miss: the others left from within the expression */
}

int value_of_statement_expression(void)
{
    if (({ plain_leaf(); qemu_in_coroutine(); })) {
        return co_leaf(); /* near miss: the last expression is the condition */
    }
    return 0;
}

int value_of_statement_expression_hit(int x)
{
    if (({ qemu_in_coroutine(); x; })) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int likely_as_glib_has_it(void)
{
    if (G_LIKELY(qemu_in_coroutine())) {
        return co_leaf(); /* near miss: the int made of the condition */
    }
    return 0;
}

int unlikely_as_glib_has_it_hit(void)
{
    if (G_UNLIKELY(!qemu_in_coroutine())) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int nested_statement_expressions(int x)
{
    return ({
        int outer = ({
            if (!qemu_in_coroutine()) {
                return -1;
            }
            x;
        });
        outer + co_leaf(); /* near miss: refined two levels down */
    });
}

int nested_statement_expressions_hit(int x)
{
    return ({
        int outer = ({
            int inner = 0;
            if (!qemu_in_coroutine()) {
                inner = x;
            }
            inner;
        });
        outer + co_leaf(); /* expect: error coroutine-call: co_leaf */
    });
}

int argument_order_hit(void)
{
    return abs(co_leaf()) + qemu_in_coroutine(); /* expect: error coroutine-call: co_leaf */
}
