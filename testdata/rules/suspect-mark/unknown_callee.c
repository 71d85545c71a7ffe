/* A callee without a body may suspend: nothing is proved. */
#include "co.h"

static int coroutine_fn forwards(void)
{
    return co_leaf(); /* near miss: nobody knows what co_leaf does */
}

int coroutine_fn inside(void)
{
    return forwards(); /* near miss: marked */
}

int outside_one(void)
{
    return forwards(); /* expect: error coroutine-call: forwards */
}

int outside_two(void)
{
    return forwards(); /* expect: error coroutine-call: forwards */
}

int outside_three(void)
{
    return forwards(); /* expect: error coroutine-call: forwards */
}

int outside_four(void)
{
    return forwards(); /* expect: error coroutine-call: forwards */
}

int outside_five(void)
{
    return forwards(); /* expect: error coroutine-call: forwards */
}
