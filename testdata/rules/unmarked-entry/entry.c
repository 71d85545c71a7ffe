/* What becomes the entry of a coroutine bears the mark. */
#include "co.h"

typedef void coroutine_fn Entry(void *opaque);

void start(Entry *entry, void *opaque);
void start_marked(void coroutine_fn (*entry)(void *opaque));
void call_later(void (*function)(void *opaque));

static void coroutine_fn marked_entry(void *opaque)
{
    (void)opaque;
}

static void unmarked_entry(void *opaque)
{
    (void)opaque;
}

static void another_entry(void *opaque)
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

struct job job = { .run = no_entry }; /* near miss: a field creates no coroutine */

void starts(void)
{
    start(marked_entry, 0); /* near miss: marked */
    start(unmarked_entry, 0); /* expect: warning unmarked-entry: `unmarked_entry` passed to parameter 1 of `start` */
    start(unmarked_entry, &job); /* a note of the first finding */
    start_marked(another_entry); /* expect: warning unmarked-entry: `another_entry` */
    call_later(no_entry); /* near miss: it may run anywhere */
}
