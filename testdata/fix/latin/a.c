/* What is not UTF-8 stays. (A list with comments in it is not filled anew.) */
#include "co.h"

static int moved(int first_one, int number, /* é */ int second, int third)
{
    return co_leaf();
}

static int before(int first_one, /* é */ int number, int second, int third)
{
    return co_leaf();
}

/* été */ static int plain(void)
{
    return co_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return moved(1, 2, 3, 4) + before(1, 2, 3, 4) + plain();
}
