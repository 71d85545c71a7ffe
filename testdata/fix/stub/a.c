/* A stub is a definition, too. */
#include "f.h"

int f(void)
{
    return co_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return f();
}
