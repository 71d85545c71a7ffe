/* Two static functions of one name never meet: here it demands a coroutine. */
#include "co.h"

static int coroutine_fn transfer(void)
{
    return co_leaf(); /* near miss: marked here */
}

int disk_run(void)
{
    return transfer(); /* expect: error coroutine-call: transfer */
}

int coroutine_fn disk_co_run(void)
{
    return transfer(); /* near miss: marked */
}
