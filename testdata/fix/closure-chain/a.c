/* All that leads to a coroutine only function is marked in one go. */
#include "co.h"

int f(void);
static int g(void);
int h(void);
int coroutine_fn run(void);

int f(void)
{
    return co_leaf();
}

static int g(void)
{
    return f();
}

int h(void)
{
    return g();
}

int coroutine_fn run(void)
{
    return h();
}
