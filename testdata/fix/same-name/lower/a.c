#include "marks.h"

int coroutine_fn leaf(void);

static int lower(void)
{
    return leaf();
}

int coroutine_fn run_lower(void);
int coroutine_fn run_lower(void)
{
    return lower();
}
