/* An entry point that comes out of an unmarked slot. */
#include "co.h"

typedef void entry(void *opaque);

static void from_variable(void *opaque)
{
    (void)opaque;
}

static void from_parameter(void *opaque)
{
    (void)opaque;
}

static void coroutine_fn marked(void *opaque)
{
    (void)opaque;
}

static void no_entry(void *opaque)
{
    (void)opaque;
}

struct job {
    void coroutine_fn (*run)(void *opaque);
};

static entry *kept = from_variable;
static CoroutineEntry *kept_marked = marked;
static entry *kept_plain = no_entry;

static void start(entry *given)
{
    qemu_coroutine_create(given, 0); /* expect: warning unmarked-entry: `from_parameter` */
}

void starts(struct job *job)
{
    qemu_coroutine_create(kept, 0); /* expect: warning unmarked-entry: unmarked `from_variable` passed to parameter 1 */
    qemu_coroutine_create(kept_marked, 0); /* near miss: the slot is marked */
    start(from_parameter);
    job->run = kept_plain; /* near miss: a field creates no coroutine */
}
