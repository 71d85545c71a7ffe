/* A coroutine only function that never suspends obliges its callers for nothing. */
#include "co.h"

static int counter;

static int coroutine_fn counts(void) /* expect: warning superfluous-mark: `coroutine_fn` `counts` never suspends */
{
    return ++counter;
}

static int coroutine_fn calls_it(void) /* near miss: it calls what is coroutine only, and that comes first */
{
    return counts();
}

static int harmless(void)
{
    return counter;
}

static int coroutine_fn calls_harmless(void) /* expect: warning superfluous-mark */
{
    return harmless();
}

static int coroutine_fn yields(void) /* near miss */
{
    qemu_coroutine_yield();
    return 0;
}

static int coroutine_fn calls_what_was_not_read(void) /* near miss: it may suspend */
{
    return plain_leaf();
}

static int coroutine_fn calls_through_a_slot(int (*call)(void)) /* near miss: likewise */
{
    return call();
}

struct Ops {
    int (*coroutine_fn size)(void);
};

static int coroutine_fn stored(void) /* near miss: the slot asks for the mark */
{
    return counter;
}

extern const struct Ops ops;
const struct Ops ops = { stored };

int coroutine_fn uses_all(void);
int coroutine_fn uses_all(void)
{
    return counts() + calls_it() + calls_harmless() + yields() + calls_what_was_not_read() + calls_through_a_slot(harmless);
}
