/*
 * The generic half of the block layer.  Teaches the ordinary mistakes: a
 * helper that needs the mark, a prototype whose definition lost it, a flag
 * that stands for the context, and blocking in a function marked either.
 */
#include "qemu/osdep.h"
#include "block/block-io.h"
#include "block/block-global-state.h"
#include "block/block_int.h"

static const BlockDriver *const drivers[] = {
    &bdrv_raw,
    &bdrv_stripe,
};

static const BlockDriver *find_driver(const char *format)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        if (!strcmp(drivers[i]->format_name, format)) {
            return drivers[i];
        }
    }
    return NULL;
}

BlockDriverState *no_coroutine_fn bdrv_open(const char *filename,
                                            const char *format)
{
    const BlockDriver *drv = find_driver(format);
    BlockDriverState *bs;

    if (!drv) {
        return NULL;
    }
    bs = calloc(1, sizeof(*bs));
    if (!bs) {
        abort();
    }
    bs->drv = drv;
    bs->filename = filename;
    bs->opaque = calloc(1, drv->instance_size);
    if (drv->bdrv_open(bs) < 0) { /* near miss: the slot demands nothing */
        free(bs->opaque);
        free(bs);
        return NULL;
    }
    return bs;
}

void no_coroutine_fn bdrv_close(BlockDriverState *bs)
{
    bdrv_wait_idle(bs); /* near miss: the wrapper is for the outside */
    bdrv_flush(bs); /* near miss: likewise */
    bs->drv->bdrv_close(bs); /* near miss: slot and caller are both outside */
    free(bs->opaque);
    free(bs);
}

/* GRAPH_WRLOCK stands on the prototype alone: near miss of mark-mismatch. */
int bdrv_append(BlockDriverState *bs, BlockDriverState *parent)
{
    BdrvChild *child;

    if (parent->nb_children == BDRV_MAX_CHILDREN) {
        return -1;
    }
    child = &parent->children[parent->nb_children++];
    child->bs = bs;
    child->name = "file";
    return 0;
}

int bdrv_count_children(BlockDriverState *bs)
{
    return bs->nb_children;
}

int coroutine_fn bdrv_co_pread(BdrvChild *child, int64_t offset, int64_t bytes,
                               void *buf)
{
    BlockDriverState *bs = child->bs;
    QEMU_LOCK_GUARD(&bs->stats_lock); /* near miss: the arm for QemuMutex, which is no coroutine's */

    bs->nb_reads++;
    return bs->drv->bdrv_co_pread(bs, offset, bytes, buf); /* expect: warning lock-across-yield: holds a thread lock (QemuMutex) */
}

int coroutine_fn bdrv_co_pwrite(BdrvChild *child, int64_t offset,
                                int64_t bytes, const void *buf)
{
    BlockDriverState *bs = child->bs;

    bs->nb_writes++;
    bs->total_bytes = bs->total_bytes > offset + bytes ? bs->total_bytes
                                                       : offset + bytes;
    return bs->drv->bdrv_co_pwrite(bs, offset, bytes, buf);
}

int coroutine_fn bdrv_co_flush(BlockDriverState *bs)
{
    int ret = 0;

    for (int i = 0; i < bs->nb_children && ret == 0; i++) {
        ret = bdrv_co_flush(bs->children[i].bs); /* near miss: calls itself, marked */
    }
    return ret ?: bs->drv->bdrv_co_flush(bs); /* near miss: marked */
}

int64_t coroutine_fn bdrv_co_getlength(BlockDriverState *bs)
{
    return bs->drv->bdrv_co_getlength(bs);
}

void coroutine_fn bdrv_co_wait_idle(BlockDriverState *bs)
{
    while (bs->busy) {
        aio_co_schedule(qemu_get_current_aio_context(), qemu_coroutine_self());
        qemu_coroutine_yield(); /* near miss: marked */
    }
}

/* Runs below bdrv_co_truncate() only, so it wants the same mark. */
static int zero_tail(BdrvChild *child, int64_t from, int64_t to)
{
    static const uint8_t zeroes[BDRV_SECTOR_SIZE];
    int ret;

    while (from < to) {
        int64_t bytes = MINI_MIN(to - from, BDRV_SECTOR_SIZE);

        ret = bdrv_co_pwrite(child, from, bytes, zeroes); /* expect: error coroutine-call: bdrv_co_pwrite */
        if (ret < 0) {
            return ret;
        }
        from += bytes;
    }
    return bdrv_co_flush(child->bs); /* near miss: the same mark would cure this call */
}

int bdrv_co_truncate(BdrvChild *child, int64_t bytes) /* expect: warning mark-mismatch: bdrv_co_truncate */
{
    int64_t old = bdrv_co_getlength(child->bs); /* near miss: the prototype bears the mark */

    if (old < bytes) {
        return zero_tail(child, old, bytes); /* near miss: the root cause is in zero_tail */
    }
    child->bs->total_bytes = bytes;
    return 0;
}

/* The caller says with a flag what a mark should say. */
int64_t bdrv_refresh_length(BlockDriverState *bs, bool in_request)
{
    if (in_request) {
        bs->total_bytes = bdrv_co_getlength(bs); /* expect: warning coroutine-call: bdrv_co_getlength */
    } else {
        bs->total_bytes = bdrv_getlength(bs); /* near miss: the wrapper */
    }
    return bs->total_bytes;
}

int coroutine_mixed_fn bdrv_detach_all(BlockDriverState *bs)
{
    int n = bs->nb_children;

    if (qemu_in_coroutine()) {
        bdrv_co_wait_idle(bs); /* near miss: guarded */
    } else {
        bdrv_wait_idle(bs); /* near miss: guarded the other way round */
    }
    bdrv_graph_wrlock(); /* expect: warning blocking-call: bdrv_graph_wrlock */
    bs->nb_children = 0;
    bdrv_graph_wrunlock(); /* near miss: no coroutine comes back from taking the lock */
    return n;
}
