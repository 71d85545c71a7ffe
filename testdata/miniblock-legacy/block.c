/*
 * Nodes and their life.  Teaches guards in a tree that has no mark for
 * "either": the predicate is all there is.
 */
#include "qemu/osdep.h"
#include "block/coroutines.h"

BlockDriverState *bdrv_open(const char *filename)
{
    BlockDriverState *bs = calloc(1, sizeof(*bs));

    if (!bs) {
        abort();
    }
    bs->drv = &bdrv_mem;
    bs->filename = filename;
    bs->opaque = calloc(1, bs->drv->instance_size);
    if (!bs->opaque || bs->drv->bdrv_open(bs) < 0) {
        abort();
    }
    return bs;
}

void bdrv_drain(BlockDriverState *bs)
{
    if (qemu_in_coroutine()) {
        bdrv_co_drain(bs); /* near miss: guarded */
        return;
    }
    BDRV_POLL_WHILE(bs, bs->in_flight > 0);
}

void bdrv_close(BlockDriverState *bs)
{
    BdrvCheckResult res = { 0 };

    bdrv_drain(bs); /* near miss: it finds out where it is */
    bdrv_flush(bs); /* near miss: the wrapper */
    bdrv_check(bs, &res, false); /* near miss: likewise */
    bs->drv->bdrv_close(bs);
    free(bs->opaque);
    free(bs);
}

void bdrv_coroutine_enter(BlockDriverState *bs, Coroutine *co)
{
    bs->owner = co;
    qemu_coroutine_enter(co);
}
