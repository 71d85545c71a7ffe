/* Coroutine only does not go with any other mark. */
#include "co.h"

int coroutine_fn inside_then_outside(void);
int no_coroutine_fn outside_then_inside(void);
int coroutine_fn inside_then_either(void);
int coroutine_fn inside_twice(void);

int no_coroutine_fn inside_then_outside(void) /* expect: error mark-mismatch: inside_then_outside */
{
    return plain_leaf();
}

int coroutine_fn outside_then_inside(void) /* expect: error mark-mismatch: outside_then_inside */
{
    return plain_leaf();
}

int coroutine_mixed_fn inside_then_either(void) /* expect: error mark-mismatch: inside_then_either */
{
    return plain_leaf();
}

int coroutine_fn no_coroutine_fn at_odds_with_itself(void) /* expect: error mark-mismatch: at_odds_with_itself */
{
    return plain_leaf();
}

int coroutine_mixed_fn no_coroutine_fn both_at_once(void)
{
    return plain_leaf(); /* near miss: outside only and either together are either */
}

int coroutine_fn inside_twice(void)
{
    return co_leaf(); /* near miss: the same mark twice */
}
