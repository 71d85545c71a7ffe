/* A mark that certainly does no harm anywhere is suspect with two unmarked callers, when these are half of all. */
#include "co.h"

static int current, other;

static int coroutine_fn half(void) /* expect: warning suspect-mark: half */
{
    return current; /* near miss: never suspends */
}

static int coroutine_fn less_than_half(void)
{
    return other; /* near miss: three callers know the mark, and two do not */
}

static int coroutine_fn one_caller(void)
{
    return other + 1; /* near miss: one caller may as well be wrong itself */
}

int outside_one(void);
int outside_one(void)
{
    int sum = half(); /* near miss: the suspect is the mark */

    sum += one_caller(); /* expect: error coroutine-call: one_caller */
    return sum + less_than_half(); /* near miss: a label of the same finding */
}

int outside_two(void);
int outside_two(void)
{
    int sum = half(); /* near miss: the suspect is the mark */

    return sum + less_than_half(); /* expect: error coroutine-call: less_than_half */
}

int coroutine_fn inside_one(void);
int coroutine_fn inside_one(void)
{
    return half() + less_than_half();
}

int coroutine_fn inside_two(void);
int coroutine_fn inside_two(void)
{
    return half() + less_than_half();
}

int coroutine_fn inside_three(void);
int coroutine_fn inside_three(void)
{
    return less_than_half();
}
