/* Five unmarked callers of twenty are a quarter: the mark is suspected. */
#include "co.h"

static int current;

static int self(void); /* near miss: no mark-mismatch beside the suspect mark */

static int coroutine_fn self(void) /* expect: warning suspect-mark: self */
{
    qemu_coroutine_yield(); /* near miss: it suspends, but the mark is on one side only */
    return current;
}

#define INSIDE(n)                       \
    int coroutine_fn inside_##n(void)   \
    {                                   \
        return self();                  \
    }

INSIDE(1)
INSIDE(2)
INSIDE(3)
INSIDE(4)
INSIDE(5)
INSIDE(6)
INSIDE(7)
INSIDE(8)
INSIDE(9)
INSIDE(10)
INSIDE(11)
INSIDE(12)
INSIDE(13)
INSIDE(14)
INSIDE(15)

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
