/*
 * Requests.  Teaches the ordinary mistakes in a tree where the marks expand
 * to nothing: a helper without its mark, a mark on a definition alone, and a
 * coroutine that goes through a wrapper made for everybody.
 */
#include "qemu/osdep.h"
#include "block/coroutines.h"

static void tracked_request_begin(BlockDriverState *bs)
{
    bs->in_flight++;
    bs->owner = qemu_coroutine_self(); /* near miss: the suspect mark is in coroutine.h */
}

static void tracked_request_end(BlockDriverState *bs)
{
    bs->in_flight--;
    bs->owner = NULL;
    aio_wait_kick();
}

bool bdrv_request_is_own(BlockDriverState *bs)
{
    return bs->owner == qemu_coroutine_self(); /* near miss: likewise */
}

int coroutine_fn bdrv_co_pread(BdrvChild *child, int64_t offset, int64_t bytes,
                               void *buf)
{
    BlockDriverState *bs = child->bs;
    int ret;

    tracked_request_begin(bs); /* near miss: demands nothing, whatever it calls */
    ret = bs->drv->bdrv_co_pread(bs, offset, bytes, buf); /* near miss: marked */
    tracked_request_end(bs);
    return ret;
}

int coroutine_fn bdrv_co_pwrite(BdrvChild *child, int64_t offset,
                                int64_t bytes, const void *buf)
{
    BlockDriverState *bs = child->bs;
    int ret;

    tracked_request_begin(bs);
    ret = bs->drv->bdrv_co_pwrite(bs, offset, bytes, buf); /* near miss: marked */
    tracked_request_end(bs);
    return ret;
}

int coroutine_fn bdrv_co_flush(BlockDriverState *bs)
{
    return bs->drv->bdrv_co_flush(bs);
}

void coroutine_fn bdrv_co_drain(BlockDriverState *bs)
{
    while (bs->in_flight > 0) {
        aio_co_schedule_self();
        qemu_coroutine_yield(); /* near miss: marked */
    }
}

/* The header knows nothing of this mark. */
int coroutine_fn bdrv_is_zeroed(BdrvChild *child, int64_t offset)
{
    uint8_t buf[BDRV_SECTOR_SIZE];

    if (bdrv_co_pread(child, offset, sizeof(buf), buf) < 0) { /* near miss: marked here */
        return -1;
    }
    for (size_t i = 0; i < sizeof(buf); i++) {
        if (buf[i]) {
            return 0;
        }
    }
    return 1;
}

int coroutine_fn bdrv_co_check(BlockDriverState *bs, BdrvCheckResult *res,
                               bool fix)
{
    BdrvChild child = { .bs = bs };

    if (bdrv_is_zeroed(&child, 0) == 0) { /* near miss: marked */
        res->leaks = 1;
    }
    if (!fix) {
        return 0;
    }
    return bdrv_flush(bs); /* expect: warning mixed-call: bdrv_co_flush */
}

int bdrv_fill(BdrvChild *child, int64_t offset, uint8_t byte)
{
    uint8_t buf[BDRV_SECTOR_SIZE];
    int ret;

    memset(buf, byte, sizeof(buf));
    ret = bdrv_co_pwrite(child, offset, sizeof(buf), buf); /* expect: error coroutine-call: calls `bdrv_fill` in non-coroutine context */
    if (ret < 0) {
        return ret;
    }
    return bdrv_co_flush(child->bs); /* expect: error coroutine-call: call the wrapper `bdrv_flush` */
}

/* The caller says with a flag what a mark should say. */
int bdrv_fill_maybe_locked(BdrvChild *child, const void *buf, bool locked)
{
    if (!locked) {
        return bdrv_pread(child, 0, 0, NULL); /* near miss: the wrapper */
    }
    return bdrv_co_pwrite(child, 0, BDRV_SECTOR_SIZE, buf); /* expect: warning coroutine-call: bdrv_co_pwrite */
}
