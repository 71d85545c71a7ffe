/* A marked static function does not meet the unmarked one of right.c. */
#include "co.h"

static int coroutine_fn turn(void);

int coroutine_fn left_co_run(void)
{
    return turn(); /* near miss: marked on both sides */
}

static int coroutine_fn turn(void)
{
    return co_leaf(); /* near miss: marked on both sides */
}
