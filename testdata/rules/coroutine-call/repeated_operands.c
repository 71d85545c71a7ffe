/* One call site is one site, however often the tree shows it. */
#include "co.h"

#define TWICE_AS_TYPE(expr)             \
    ({                                  \
        typeof(expr) _value = (expr);   \
        _value;                         \
    })

int no_coroutine_fn elvis(void)
{
    return co_leaf() ?: plain_leaf(); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn elvis_right(void)
{
    return plain_leaf() ?: co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int coroutine_fn elvis_inside(void)
{
    return co_leaf() ?: plain_leaf(); /* near miss: marked */
}

int no_coroutine_fn type_and_value(void)
{
    typeof(co_leaf()) v = co_leaf(); /* expect: error coroutine-call: co_leaf */

    return v;
}

int no_coroutine_fn type_alone(void)
{
    typeof(co_leaf()) v = plain_leaf(); /* near miss: the operand of typeof is not evaluated */

    return v;
}

int no_coroutine_fn auto_type(void)
{
    __auto_type v = co_leaf(); /* expect: error coroutine-call: co_leaf */

    return v;
}

int no_coroutine_fn through_macro(void)
{
    return TWICE_AS_TYPE(co_leaf()); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn through_macro_plain(void)
{
    return TWICE_AS_TYPE(plain_leaf()); /* near miss: nothing demands a coroutine */
}

int no_coroutine_fn in_an_initialiser(void)
{
    int values[2] = { [1] = co_leaf() }; /* expect: error coroutine-call: co_leaf */
    struct { int a, b; } pair = { .b = 1 }; /* near miss: no call */

    return values[0] + pair.a;
}
