/* Calls as arguments of calls. */
#include "co.h"

int coroutine_fn co_add(int a, int b);
int add(int a, int b);

int no_coroutine_fn one_inside_another(void)
{
    return add(plain_leaf(), co_leaf()); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn three_deep(void)
{
    return co_add(1, /* expect: error coroutine-call: co_add */
                  add(2,
                      co_leaf())); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn two_on_a_line(void)
{
    return add(co_leaf(), dev_co_read(1)); /* expect: error coroutine-call: co_leaf */ /* expect: error coroutine-call: dev_co_read */
}

int no_coroutine_fn same_on_a_line(void)
{
    return add(co_leaf(), co_leaf()); /* expect: error coroutine-call: co_leaf */ /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn pointer_as_argument(void)
{
    int coroutine_fn (*named)(void) = co_leaf; /* near miss: named, not called */

    return add(named != NULL, 1);
}

int coroutine_fn inside(void)
{
    return co_add(co_leaf(), add(co_leaf(), 1)); /* near miss: marked */
}
