/* Files of one name in two directories are two files. */
#include "co.h"

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return dev_read(1);
}
