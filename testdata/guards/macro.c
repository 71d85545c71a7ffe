/* Guards that hide in macros. */
#include "co.h"

#define INSIDE() (qemu_in_coroutine())
#define IF_INSIDE(statement)            \
    do {                                \
        if (qemu_in_coroutine()) {      \
            statement;                  \
        }                               \
    } while (0)
#define IF_OUTSIDE(statement)           \
    do {                                \
        if (!qemu_in_coroutine()) {     \
            statement;                  \
        }                               \
    } while (0)
#define RETURN_UNLESS_INSIDE(value)     \
    do {                                \
        if (!qemu_in_coroutine()) {     \
            return (value);             \
        }                               \
    } while (0)
#define GUARDED_READ() (qemu_in_coroutine() ? co_leaf() : plain_leaf())
#define MISGUARDED_READ() (qemu_in_coroutine() ? plain_leaf() : co_leaf())

int condition(void)
{
    if (INSIDE()) {
        return co_leaf(); /* near miss: the macro is the predicate */
    }
    return 0;
}

int condition_hit(void)
{
    if (!INSIDE()) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int whole_statement(void)
{
    IF_INSIDE(co_leaf()); /* near miss: guard and call meet in the expansion */
    return 0;
}

int whole_statement_hit(void)
{
    IF_OUTSIDE(co_leaf()); /* expect: error coroutine-call: co_leaf */
    return 0;
}

int leaving_macro(void)
{
    RETURN_UNLESS_INSIDE(-1);
    return co_leaf(); /* near miss: the macro has sent the others away */
}

int leaving_macro_too_late_hit(void)
{
    int r = co_leaf(); /* expect: error coroutine-call: co_leaf */

    RETURN_UNLESS_INSIDE(-1);
    return r;
}

int whole_expression(void)
{
    return GUARDED_READ(); /* near miss: the macro guards its own call */
}

int whole_expression_hit(void)
{
    return MISGUARDED_READ(); /* expect: error coroutine-call: co_leaf */
}
