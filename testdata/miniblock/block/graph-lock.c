/*
 * The lock on the graph.  Teaches that an assert documents, but does not
 * excuse: bdrv_graph_rdlock_main_loop() tells its callers nothing until it
 * aborts in front of a user.
 */
#include "qemu/osdep.h"
#include "block/block-common.h"

BdrvGraphLock graph_lock;

static bool writer;

void no_coroutine_fn bdrv_graph_wrlock(void)
{
    assert(!qemu_in_coroutine()); /* near miss: the mark says so, too */
    writer = true;
    AIO_WAIT_WHILE(qemu_get_aio_context(), graph_lock.readers > 0); /* near miss: polling is for the outside */
}

void no_coroutine_fn bdrv_graph_wrunlock(void)
{
    writer = false;
    aio_wait_kick();
}

void coroutine_fn bdrv_graph_co_rdlock(void)
{
    while (writer) {
        aio_co_schedule(qemu_get_aio_context(), qemu_coroutine_self());
        qemu_coroutine_yield(); /* near miss: marked */
    }
    graph_lock.readers++;
}

void coroutine_fn bdrv_graph_co_rdunlock(void)
{
    graph_lock.readers--;
    aio_wait_kick();
}

void bdrv_graph_rdlock_main_loop(void)
{
    assert(!qemu_in_coroutine()); /* expect: warning assert-without-mark: bdrv_graph_rdlock_main_loop */
    graph_lock.readers++;
}

void bdrv_graph_rdunlock_main_loop(void)
{
    graph_lock.readers--;
    aio_wait_kick();
}
