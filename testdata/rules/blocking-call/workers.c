/* What a thread of a pool runs may block. It must not poll: the event loop belongs to another thread. */
#include "co.h"

typedef struct AioContext AioContext;
typedef struct ThreadPool ThreadPool;
typedef struct QemuThread QemuThread;
typedef int ThreadPoolFunc(void *opaque);
typedef void CompletionFunc(void *opaque, int ret);

bool aio_poll(AioContext *ctx, bool blocking);
int coroutine_fn thread_pool_submit_co(ThreadPoolFunc *func, void *arg);
void thread_pool_submit_aio(ThreadPool *pool, ThreadPoolFunc *func, void *arg, CompletionFunc *cb, void *opaque);
void qemu_thread_create(QemuThread *thread, const char *name, void *(*start_routine)(void *), void *arg, int mode);

static int polls(void *opaque)
{
    return aio_poll(NULL, true); /* expect: error blocking-call: non-coroutine-only `aio_poll` called from `polls`, which runs in another thread */
}

static void drain(void)
{
    while (aio_poll(NULL, true)) { /* near miss: who calls it is elsewhere */
    }
}

static void no_coroutine_fn close_all(void)
{
    drain(); /* near miss: likewise */
}

static int polls_through_others(void *opaque)
{
    close_all(); /* expect: error blocking-call: called from `polls_through_others`, which runs in another thread, leads to non-coroutine-only `aio_poll` */
    return 0;
}

static int waits_in_a_wrapper(void *opaque)
{
    return dev_flush() /* expect: error blocking-call: `co_wrapper` `dev_flush` called from `waits_in_a_wrapper` */
           + dev_read(1); /* expect: error blocking-call: `co_wrapper_mixed` `dev_read` called from `waits_in_a_wrapper` */
}

static int blocks(void *opaque)
{
    return block_leaf(); /* near miss: it may block there */
}

static void drain_if(bool poll)
{
    if (poll) {
        drain();
    }
}

static int never_polls(void *opaque)
{
    drain_if(false); /* near miss: the constant says no */
    if (qemu_in_coroutine()) {
        drain(); /* near miss: this is no coroutine */
    }
    return 0;
}

static void completed(void *opaque, int ret)
{
    drain(); /* near miss: it is called back in the event loop's own thread */
}

int coroutine_fn submits(void);
int coroutine_fn submits(void)
{
    int r = thread_pool_submit_co(polls, NULL);

    r += thread_pool_submit_co(polls_through_others, NULL);
    r += thread_pool_submit_co(waits_in_a_wrapper, NULL);
    r += thread_pool_submit_co(blocks, NULL); /* near miss: the coroutine does not block, it waits */
    thread_pool_submit_aio(NULL, never_polls, NULL, completed, NULL);
    return r;
}

/* --- passed on ------------------------------------------------------------------------------------------------------ */

static int coroutine_fn submit(ThreadPoolFunc func, void *arg)
{
    return thread_pool_submit_co(func, arg);
}

static int passed_on(void *opaque)
{
    drain(); /* expect: error blocking-call: `drain` called from `passed_on`, which runs in another thread */
    return 0;
}

int coroutine_fn passes_on(void);
int coroutine_fn passes_on(void)
{
    return submit(passed_on, NULL);
}

/* --- a pool that calls what it gets --------------------------------------------------------------------------------- */

int coroutine_fn thread_pool_submit_co(ThreadPoolFunc *func, void *arg)
{
    return func(arg); /* near miss: a stub, perhaps; in the pool's own thread */
}

/* --- threads of their own ------------------------------------------------------------------------------------------- */

static void *runs_an_event_loop(void *opaque)
{
    while (aio_poll(opaque, true)) { /* near miss: this thread may have an event loop */
    }
    return NULL;
}

void coroutine_fn creates_a_thread(QemuThread *thread);
void coroutine_fn creates_a_thread(QemuThread *thread)
{
    qemu_thread_create(thread, "loop", runs_an_event_loop, NULL, 0); /* near miss: the coroutine goes on */
}

/* --- blocks that run in a worker ------------------------------------------------------------------------------------ */

#define v9fs_co_run_in_worker(code_block)       \
    do {                                        \
        qemu_coroutine_yield();                 \
        do {                                    \
            code_block;                         \
        } while (0);                            \
        qemu_coroutine_yield();                 \
    } while (0)

int coroutine_fn in_a_block(void);
int coroutine_fn in_a_block(void)
{
    int r = 0;

    v9fs_co_run_in_worker({ /* expect: error blocking-call: `drain` called from `in_a_block` in a block that runs in another thread, leads to */
        drain();
        r = block_leaf(); /* near miss: it may block */
    });
    return r;
}
