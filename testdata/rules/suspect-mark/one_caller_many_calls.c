/* One function with many calls is one caller. */
#include "co.h"

static int current;

static int coroutine_fn self(void)
{
    return current; /* near miss: one unmarked caller, however often it calls */
}

int outside(void)
{
    return self() + self() + self() + self() + self() + self(); /* expect: error coroutine-call: self */
}
