/* Five unmarked callers of twenty-one are less than a quarter. */
#include "co.h"

static int current;

static int self(void); /* expect: warning mark-mismatch: self */

static int coroutine_fn self(void)
{
    qemu_coroutine_yield();
    return current; /* near miss: most callers bear the mark, so those that do not are wrong */
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
    return self(); /* expect: error coroutine-call: self */
}

int outside_two(void)
{
    return self(); /* expect: error coroutine-call: self */
}

int outside_three(void)
{
    return self(); /* expect: error coroutine-call: self */
}

int outside_four(void)
{
    return self(); /* expect: error coroutine-call: self */
}

int outside_five(void)
{
    return self(); /* expect: error coroutine-call: self */
}
