/* What a function asserts, its mark can say. */
#include "co.h"

static int inside(void)
{
    assert(qemu_in_coroutine());
    return co_leaf();
}

static int outside(void)
{
    assert(!qemu_in_coroutine());
    return plain_leaf();
}

/* Near miss: it asserts nothing that matters to anybody. */
static int harmless(void)
{
    assert(!qemu_in_coroutine());
    return plain_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return inside();
}

int no_coroutine_fn poll(void);
int no_coroutine_fn poll(void)
{
    return outside();
}

int anywhere(void);
int anywhere(void)
{
    return harmless();
}
