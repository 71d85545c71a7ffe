/* What waits by a model of the pack, and what asserts or bears a mark: neither hides the other. */
#include "co.h"

int pthread_join(unsigned long thread, void **result);

static void stops(void)
{
    pthread_join(1, 0); /* near miss: nothing says where it runs */
}

static void deeper(void)
{
    assert(!qemu_in_coroutine()); /* near miss: outside of coroutines, as is asserted */
}

static void deep(void)
{
    deeper(); /* near miss: who calls it is elsewhere */
}

static void both(void)
{
    stops();
    deep();
}

void coroutine_fn co_both(void);
void coroutine_fn co_both(void)
{
    both(); /* expect: error blocking-call: leads to non-coroutine-only `pthread_join` */ /* expect: error blocking-call: leads to non-coroutine-only `deeper` */
}

void coroutine_fn co_one(void);
void coroutine_fn co_one(void)
{
    stops(); /* expect: error blocking-call: leads to non-coroutine-only `pthread_join` */
}
