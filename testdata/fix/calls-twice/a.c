/* Two calls in one function: that the one is written by a macro says nothing of the other. */
#include "co.h"

#define READ(sector) dev_read(sector)

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return READ(1) + dev_read(2);
}
