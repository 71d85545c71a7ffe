/* The unmarked twin, and a function that does lose its mark. */
#include "co.h"

static int turn(void);
static int coroutine_fn spin(void);

int coroutine_fn right_co_run(void)
{
    return turn() + spin();
}

static int turn(void)
{
    return plain_leaf(); /* near miss: unmarked on both sides */
}

static int spin(void) /* expect: warning mark-mismatch: spin */
{
    return co_leaf();
}
