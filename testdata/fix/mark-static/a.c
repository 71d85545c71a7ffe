/* Static functions: of two of one name, only that which the coroutine calls. */
#include "co.h"

static int f(void);
static inline bool is_ready(void);
int coroutine_fn run(void);

int coroutine_fn run(void)
{
    return is_ready() ? f() : 0;
}

static int f(void)
{
    return co_leaf();
}

static inline bool is_ready(void)
{
    return co_leaf() == 0;
}
