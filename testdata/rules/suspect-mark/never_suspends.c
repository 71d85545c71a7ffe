/* Marked, never suspends, and half of its callers do not bear a mark. */
#include "co.h"

static int current;

static int helper(void)
{
    return current + 1;
}

static int coroutine_fn self(void) /* expect: warning suspect-mark: self */
{
    return helper(); /* near miss: demands nothing and never suspends */
}

int coroutine_fn inside_one(void)
{
    return self(); /* near miss: marked */
}

int coroutine_fn inside_two(void)
{
    qemu_coroutine_yield(); /* near miss: a caller that suspends says nothing about self */
    return self();
}

int outside_one(void)
{
    return self(); /* near miss: the suspect is the mark */
}

int outside_two(void)
{
    return self(); /* near miss: the suspect is the mark */
}

int outside_three(void)
{
    return self(); /* near miss: the suspect is the mark */
}

int outside_four(void)
{
    return self(); /* near miss: the suspect is the mark */
}

int outside_five(void)
{
    return self(); /* near miss: the suspect is the mark */
}
