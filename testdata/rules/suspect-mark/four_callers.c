/* Four unmarked callers are too few to suspect the mark. */
#include "co.h"

static int current;

static int self(void); /* expect: warning mark-mismatch: self */

static int coroutine_fn self(void)
{
    qemu_coroutine_yield();
    return current; /* near miss: the calls are reported, not the mark */
}

int coroutine_fn inside(void)
{
    return self(); /* near miss: marked */
}

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
