/* Outside of coroutines, the wrapper is called. */
#include "co.h"

int no_coroutine_fn outside(void);
int no_coroutine_fn outside(void)
{
    int result = dev_co_flush();

    result += dev_co_read(1);
    return result;
}
