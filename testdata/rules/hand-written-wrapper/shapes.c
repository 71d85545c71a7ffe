/* A coroutine that somebody creates and waits for. */
#include "co.h"

bool aio_poll(void *context, bool blocking);

#define POLL_WHILE(condition)               \
    ({                                      \
        while (condition) {                 \
            aio_poll(0, true);              \
        }                                   \
    })

struct Data {
    int ret;
    bool done;
};

static void coroutine_fn read_entry(void *opaque)
{
    struct Data *data = opaque;

    data->ret = dev_co_read(1);
    data->done = true;
}

int waits(void);
int waits(void)
{
    struct Data data = { 0 };
    Coroutine *co = qemu_coroutine_create(read_entry, &data); /* expect: warning hand-written-wrapper: declare `dev_read` with `co_wrapper` */

    qemu_coroutine_enter(co);
    while (!data.done) {
        aio_poll(0, true);
    }
    return data.ret;
}

int waits_by_macro(void);
int waits_by_macro(void)
{
    struct Data data = { 0 };

    qemu_coroutine_enter(qemu_coroutine_create(read_entry, &data)); /* expect: warning hand-written-wrapper: polled here */
    POLL_WHILE(!data.done);
    return data.ret;
}

static void coroutine_fn two_entry(void *opaque)
{
    struct Data *data = opaque;

    data->ret = dev_co_read(1) + co_leaf();
    data->done = true;
}

int waits_for_two(void);
int waits_for_two(void)
{
    struct Data data = { 0 };
    Coroutine *co = qemu_coroutine_create(two_entry, &data); /* expect: warning hand-written-wrapper: into one function */

    qemu_coroutine_enter(co);
    POLL_WHILE(!data.done);
    return data.ret;
}

void starts(struct Data *data);
void starts(struct Data *data)
{
    qemu_coroutine_enter(qemu_coroutine_create(read_entry, data)); /* near miss: nobody waits */
}

void only_polls(void);
void only_polls(void)
{
    aio_poll(0, false); /* near miss: for no coroutine of its own */
}

void creates_what_it_is_given(CoroutineEntry *entry, struct Data *data);
void creates_what_it_is_given(CoroutineEntry *entry, struct Data *data)
{
    qemu_coroutine_enter(qemu_coroutine_create(entry, data)); /* near miss: it wraps no function */
    POLL_WHILE(!data->done);
}
