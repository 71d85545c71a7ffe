#include "dev.h"

int no_coroutine_fn elsewhere(void);
int no_coroutine_fn elsewhere(void)
{
    return dev_co_trim(1, 2);
}
