/* A call through a macro is not written here. */
#include "co.h"

#define READ(sector) dev_read(sector)
#define CALL(function, sector) function(sector)

int coroutine_fn through_macros(void);
int coroutine_fn through_macros(void)
{
    return READ(1) + CALL(dev_read, 2);
}
