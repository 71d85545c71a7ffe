/* A mark that is the mistake itself. */
#include "co.h"

int coroutine_fn total(int n);

int coroutine_fn total(int n)
{
    return n + 1;
}

int one(void);
int one(void)
{
    return total(1);
}

int two(void);
int two(void)
{
    return total(2);
}
