/* Slots without a mark that hold what is non-coroutine only itself: by a mark, or by an assertion. */
#include "co.h"

struct disk_ops {
    void (*unload)(int disk);
    void (*reset)(int disk);
    void (*spin)(int disk);
    void (*check)(int disk);
};

static void no_coroutine_fn tape_unload(int disk)
{
    block_leaf(); /* near miss: it runs outside, as its mark says */
}

static void tape_reset(int disk)
{
    assert(!qemu_in_coroutine()); /* near miss: likewise, by its assertion */
}

static void tape_spin(int disk)
{
    /* near miss: it does nothing */
}

static void no_coroutine_fn tape_check(int disk)
{
    block_leaf();
}

const struct disk_ops tape_ops = {
    .unload = tape_unload,
    .reset = tape_reset,
    .spin = tape_spin,
    .check = tape_check,
};

void coroutine_fn disk_co_eject(const struct disk_ops *ops);
void coroutine_fn disk_co_eject(const struct disk_ops *ops)
{
    ops->unload(0); /* expect: warning blocking-call: call through `disk_ops::unload` from `coroutine_fn` `disk_co_eject` may reach `no_coroutine_fn` `tape_unload` */
    ops->reset(0); /* expect: warning blocking-call: may reach non-coroutine-only `tape_reset` */
    ops->spin(0); /* near miss: what it holds does not block */
    if (!qemu_in_coroutine()) {
        ops->check(0); /* near miss: guarded */
    }
}

static void spin_and_check(const struct disk_ops *ops)
{
    ops->check(0); /* near miss: who calls it is elsewhere */
}

void coroutine_fn disk_co_check(const struct disk_ops *ops);
void coroutine_fn disk_co_check(const struct disk_ops *ops)
{
    spin_and_check(ops); /* expect: warning blocking-call: may lead to `no_coroutine_fn` `tape_check` */
}

void disk_eject(const struct disk_ops *ops);
void disk_eject(const struct disk_ops *ops)
{
    ops->unload(0); /* near miss: nothing says that this runs in a coroutine */
}
