/* What never suspends is suspect with five unmarked callers, however many bear the mark. */
#include "co.h"

static int current;

static int coroutine_fn self(void) /* expect: warning suspect-mark: self */
{
    return current; /* near miss: never suspends */
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
INSIDE(16)

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
