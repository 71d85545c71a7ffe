/* The mark is right, however many callers lack it: the function suspends. */
#include "co.h"

static int coroutine_fn wait_a_round(void)
{
    qemu_coroutine_yield(); /* near miss: it suspends */
    return plain_leaf();
}

static int coroutine_fn wait_two_rounds(void)
{
    return wait_a_round() + wait_a_round(); /* near miss: it suspends in a callee */
}

int coroutine_fn inside(void)
{
    return wait_a_round() + wait_two_rounds(); /* near miss: marked */
}

int outside_one(void)
{
    return wait_two_rounds(); /* expect: error coroutine-call: wait_two_rounds */
}

int outside_two(void)
{
    return wait_two_rounds(); /* expect: error coroutine-call: wait_two_rounds */
}

int outside_three(void)
{
    return wait_two_rounds(); /* expect: error coroutine-call: wait_two_rounds */
}

int outside_four(void)
{
    return wait_two_rounds(); /* expect: error coroutine-call: wait_two_rounds */
}

int outside_five(void)
{
    return wait_two_rounds(); /* expect: error coroutine-call: wait_two_rounds */
}
