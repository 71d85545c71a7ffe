/* What another thread runs is not in a coroutine, whoever passed it there. */
#include "co.h"

typedef struct ThreadPool ThreadPool;
typedef struct QemuThread QemuThread;
typedef int ThreadPoolFunc(void *opaque);

int coroutine_fn thread_pool_submit_co(ThreadPool *pool, ThreadPoolFunc *func, void *arg);
void qemu_thread_create(QemuThread *thread, const char *name, void *(*start_routine)(void *), void *arg, int mode);
int submit_elsewhere(ThreadPoolFunc *func, void *arg);

static int reads(void *opaque)
{
    int r = co_leaf(); /* expect: error coroutine-call: `coroutine_fn` `co_leaf` called from `reads`, which runs in another thread */

    if (qemu_in_coroutine()) {
        r += co_leaf(); /* near miss: this is no coroutine */
    }
    return r;
}

static int helper(void)
{
    return co_leaf(); /* expect: error coroutine-call: `coroutine_fn` `co_leaf` called from unmarked `helper` */
}

static int reads_through_another(void *opaque)
{
    return helper();
}

static void *thread(void *opaque)
{
    co_leaf(); /* expect: error coroutine-call: called from `thread`, which runs in another thread */
    return NULL;
}

static int called_in_coroutines_too(void *opaque)
{
    return co_leaf(); /* expect: error coroutine-call: called from `called_in_coroutines_too`, which runs in another thread */
}

static int plain(void *opaque)
{
    return plain_leaf(); /* near miss: it requires nothing */
}

static int unknown(void *opaque)
{
    return co_leaf(); /* expect: error coroutine-call: from unmarked `unknown` */
}

int coroutine_fn submits(QemuThread *t);
int coroutine_fn submits(QemuThread *t)
{
    int r = thread_pool_submit_co(NULL, reads, NULL);

    r += thread_pool_submit_co(NULL, reads_through_another, NULL);
    r += thread_pool_submit_co(NULL, called_in_coroutines_too, NULL);
    r += called_in_coroutines_too(NULL);
    r += thread_pool_submit_co(NULL, plain, NULL);
    r += submit_elsewhere(unknown, NULL); /* near miss: the pack does not know this function */
    qemu_thread_create(t, "thread", thread, NULL, 0);
    return r;
}
