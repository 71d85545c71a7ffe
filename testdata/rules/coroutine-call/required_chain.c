/* The root cause is reported; whoever would be obliged in turn is not. */
#include "co.h"

static int root(void)
{
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

static int middle(void)
{
    return root(); /* near miss: cured with the root */
}

int top(void)
{
    return middle(); /* near miss: cured with the root */
}
