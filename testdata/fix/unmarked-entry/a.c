/* The entry of a coroutine. */
#include "co.h"

static void entry(void *opaque)
{
    co_leaf();
}

/* Near miss: it is called by name outside of coroutines, too. */
static void both(void *opaque)
{
    if (qemu_in_coroutine()) {
        co_leaf();
    }
}

void no_coroutine_fn start(void);
void no_coroutine_fn start(void)
{
    qemu_coroutine_enter(qemu_coroutine_create(entry, NULL));
    qemu_coroutine_enter(qemu_coroutine_create(both, NULL));
    both(NULL);
}
