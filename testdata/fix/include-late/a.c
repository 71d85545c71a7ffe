/* The mark is defined behind the place that it goes to. */
#include <stdint.h>

static int load(void);

#include "co.h"

static int load(void)
{
    return co_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return load();
}
