/*
 * This file is generated from declarations that bear generated_co_wrapper.
 * Do not edit it: edit include/block/block.h or block/coroutines.h.
 *
 * Near miss of mark-mismatch, once for every wrapper: a generated definition
 * need not repeat the mark of its declaration.
 */

#include "qemu/osdep.h"
#include "block/coroutines.h"
#include "block/block-gen.h"
#include "block/block_int.h"

/* bdrv_flush() runs bdrv_co_flush() in a coroutine. */

typedef struct BdrvCoFlush {
    BdrvPollCo poll_state;
    BlockDriverState *bs;
} BdrvCoFlush;

static void coroutine_fn bdrv_co_flush_entry(void *opaque)
{
    BdrvCoFlush *s = opaque;

    s->poll_state.ret = bdrv_co_flush(s->bs);
    s->poll_state.in_progress = false;

    aio_wait_kick();
}

int bdrv_flush(BlockDriverState *bs)
{
    if (qemu_in_coroutine()) {
        return bdrv_co_flush(bs);
    } else {
        BdrvCoFlush s = {
            .poll_state.bs = bs,
            .poll_state.in_progress = true,
            .bs = bs,
        };

        s.poll_state.co = qemu_coroutine_create(bdrv_co_flush_entry, &s);
        return bdrv_poll_co(&s.poll_state);
    }
}


/* bdrv_check() runs bdrv_co_check() in a coroutine. */

typedef struct BdrvCoCheck {
    BdrvPollCo poll_state;
    BlockDriverState *bs;
    BdrvCheckResult *res;
    bool fix;
} BdrvCoCheck;

static void coroutine_fn bdrv_co_check_entry(void *opaque)
{
    BdrvCoCheck *s = opaque;

    s->poll_state.ret = bdrv_co_check(s->bs, s->res, s->fix);
    s->poll_state.in_progress = false;

    aio_wait_kick();
}

int bdrv_check(BlockDriverState *bs, BdrvCheckResult *res, bool fix)
{
    if (qemu_in_coroutine()) {
        return bdrv_co_check(bs, res, fix);
    } else {
        BdrvCoCheck s = {
            .poll_state.bs = bs,
            .poll_state.in_progress = true,
            .bs = bs,
            .res = res,
            .fix = fix,
        };

        s.poll_state.co = qemu_coroutine_create(bdrv_co_check_entry, &s);
        return bdrv_poll_co(&s.poll_state);
    }
}


/* bdrv_pread() runs bdrv_co_pread() in a coroutine. */

typedef struct BdrvCoPread {
    BdrvPollCo poll_state;
    BdrvChild *child;
    int64_t offset;
    int64_t bytes;
    void *buf;
} BdrvCoPread;

static void coroutine_fn bdrv_co_pread_entry(void *opaque)
{
    BdrvCoPread *s = opaque;

    s->poll_state.ret = bdrv_co_pread(s->child, s->offset, s->bytes, s->buf);
    s->poll_state.in_progress = false;

    aio_wait_kick();
}

int bdrv_pread(BdrvChild *child, int64_t offset, int64_t bytes, void *buf)
{
    if (qemu_in_coroutine()) {
        return bdrv_co_pread(child, offset, bytes, buf);
    } else {
        BdrvCoPread s = {
            .poll_state.bs = child->bs,
            .poll_state.in_progress = true,
            .child = child,
            .offset = offset,
            .bytes = bytes,
            .buf = buf,
        };

        s.poll_state.co = qemu_coroutine_create(bdrv_co_pread_entry, &s);
        return bdrv_poll_co(&s.poll_state);
    }
}
