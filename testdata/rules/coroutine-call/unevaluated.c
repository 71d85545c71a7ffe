/* Unevaluated operands are no calls. */
#include "co.h"

int size_of(void)
{
    return sizeof(co_leaf()); /* near miss: sizeof does not evaluate */
}

int size_of_hit(void)
{
    return sizeof(int) + co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int align_of(void)
{
    return _Alignof(typeof(co_leaf())); /* near miss: a type, not a call */
}

int compatible_types(void)
{
    return __builtin_types_compatible_p(typeof(co_leaf()), int); /* near miss: types, not calls */
}

int chosen(void)
{
    return __builtin_choose_expr(1, co_leaf(), plain_leaf()); /* expect: error coroutine-call: co_leaf */
}

int not_chosen(void)
{
    return __builtin_choose_expr(1, plain_leaf(), co_leaf()); /* near miss: the unselected arm */
}

int chosen_by_type(int x)
{
    return __builtin_choose_expr(__builtin_types_compatible_p(typeof(x), long),
                                 co_leaf(), /* near miss: an int is no long */
                                 plain_leaf());
}

int generic_arm(int x)
{
    return _Generic(x, int: plain_leaf(), char *: co_leaf()); /* near miss: the unselected arm */
}

int generic_control(void)
{
    return _Generic(co_leaf(), int: plain_leaf(), default: 0); /* near miss: only the type counts */
}

int generic_beside_hit(int x)
{
    return _Generic(x, int: 1, char *: co_leaf()) + co_leaf(); /* expect: error coroutine-call: co_leaf */
}
