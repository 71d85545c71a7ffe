/* A caller that asks where it is needs no mark. */
#include "co.h"

static int f(void)
{
    return co_leaf();
}

int anywhere(void);
int anywhere(void)
{
    if (qemu_in_coroutine()) {
        return f();
    }
    return plain_leaf();
}
