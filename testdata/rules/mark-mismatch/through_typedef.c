/* A typedef's mark belongs to whatever is declared through it. */
#include "co.h"

static CoroutineEntry marked_entry;
static CoroutineEntry unmarked_entry;

static void coroutine_fn marked_entry(void *opaque)
{
    *(int *)opaque = co_leaf(); /* near miss: the typedef bears the mark as well */
}

static void unmarked_entry(void *opaque) /* expect: warning mark-mismatch: unmarked_entry */
{
    *(int *)opaque = co_leaf();
}

Coroutine *start_one(int *value)
{
    return qemu_coroutine_create(value ? marked_entry : unmarked_entry, value);
}
