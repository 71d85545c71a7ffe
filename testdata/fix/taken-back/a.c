/* One of these cannot be marked in every unit; the other is marked all the same. */
#include "co.h"
#include "shared.h"

int good(void)
{
    return co_leaf();
}

int bad(void)
{
    return co_leaf();
}

int above_bad(void);
int above_bad(void)
{
    bad();
    return co_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return good() + above_bad();
}
