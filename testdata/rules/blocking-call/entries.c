/* A function without a mark that is stored where it runs in a coroutine blocks there as well. */
#include "co.h"

static void blocks(void)
{
    block_leaf(); /* near miss: who calls it is elsewhere */
}

static void entry(void *opaque)
{
    block_leaf(); /* expect: error blocking-call: (stored in a coroutine-only slot) */
}

static void entry_through(void *opaque)
{
    blocks(); /* expect: error blocking-call: (stored in a coroutine-only slot) */
}

static void guarded_entry(void *opaque)
{
    if (!qemu_in_coroutine()) {
        block_leaf(); /* near miss: guarded */
    }
}

static void entry_and_more(void *opaque)
{
    block_leaf(); /* near miss: it is called outside, too, and nothing says what it is for */
}

void start(void);
void start(void)
{
    qemu_coroutine_create(entry, 0); /* expect: warning unmarked-entry */
    qemu_coroutine_create(entry_through, 0); /* expect: warning unmarked-entry */
    qemu_coroutine_create(guarded_entry, 0); /* expect: warning unmarked-entry */
    qemu_coroutine_create(entry_and_more, 0); /* expect: warning unmarked-entry */
    entry_and_more(0);
}

struct Driver {
    int (*coroutine_fn co_read)(void);
    int (*coroutine_mixed_fn read)(void);
};

static int driver_read(void)
{
    return block_leaf(); /* expect: error blocking-call: (stored in a coroutine-only slot) */
}

static int driver_mixed_read(void)
{
    return block_leaf(); /* near miss: the slot is for either context */
}

extern const struct Driver driver;
const struct Driver driver = { .co_read = driver_read, .read = driver_mixed_read };

int coroutine_fn calls_what_is_stored(void);
int coroutine_fn calls_what_is_stored(void)
{
    return driver_read(); /* near miss: the finding is in the function itself */
}
