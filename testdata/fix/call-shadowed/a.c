/* The name of the target means something else here. */
#include "co.h"

int coroutine_fn pointer(int (*dev_co_read)(int));
int coroutine_fn pointer(int (*dev_co_read)(int))
{
    return dev_read(1);
}

int coroutine_fn variable(void);
int coroutine_fn variable(void)
{
    int dev_co_read = 1;

    return dev_read(dev_co_read);
}

/* Near miss: that was somewhere else. */
int coroutine_fn elsewhere(void);
int coroutine_fn elsewhere(void)
{
    {
        int dev_co_read = 1;
        (void)dev_co_read;
    }
    return dev_read(dev_read(1));
}
