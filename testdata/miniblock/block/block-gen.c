/*
 * This file is generated from declarations that bear wrapper marks.
 * Do not edit it: edit include/block/block-io.h or block-global-state.h.
 *
 * Nothing is reported in a generated file for a mark that its definitions do
 * not repeat: near miss of mark-mismatch, once for every wrapper.
 */

#include "qemu/osdep.h"
#include "block/coroutines.h"
#include "block/block-gen.h"
#include "block/block_int.h"
#include "block/dirty-bitmap.h"

/* bdrv_pread() runs bdrv_co_pread() in a coroutine. */

typedef struct BdrvPread {
    BdrvPollCo poll_state;
    int ret;
    BdrvChild *child;
    int64_t offset;
    int64_t bytes;
    void *buf;
} BdrvPread;

static void coroutine_fn bdrv_co_pread_entry(void *opaque)
{
    BdrvPread *s = opaque;

    bdrv_graph_co_rdlock();
    s->ret = bdrv_co_pread(s->child, s->offset, s->bytes, s->buf);
    bdrv_graph_co_rdunlock();
    s->poll_state.in_progress = false;

    aio_wait_kick();
}

int bdrv_pread(BdrvChild *child, int64_t offset, int64_t bytes, void *buf)
{
    if (qemu_in_coroutine()) {
        assume_graph_lock();
        return bdrv_co_pread(child, offset, bytes, buf);
    } else {
        BdrvPread s = {
            .poll_state.ctx = qemu_get_current_aio_context(),
            .poll_state.in_progress = true,
            .child = child,
            .offset = offset,
            .bytes = bytes,
            .buf = buf,
        };

        s.poll_state.co = qemu_coroutine_create(bdrv_co_pread_entry, &s);
        bdrv_poll_co(&s.poll_state);
        return s.ret;
    }
}


/* bdrv_pwrite() runs bdrv_co_pwrite() in a coroutine. */

typedef struct BdrvPwrite {
    BdrvPollCo poll_state;
    int ret;
    BdrvChild *child;
    int64_t offset;
    int64_t bytes;
    const void *buf;
} BdrvPwrite;

static void coroutine_fn bdrv_co_pwrite_entry(void *opaque)
{
    BdrvPwrite *s = opaque;

    bdrv_graph_co_rdlock();
    s->ret = bdrv_co_pwrite(s->child, s->offset, s->bytes, s->buf);
    bdrv_graph_co_rdunlock();
    s->poll_state.in_progress = false;

    aio_wait_kick();
}

int bdrv_pwrite(BdrvChild *child, int64_t offset, int64_t bytes, const void *buf)
{
    if (qemu_in_coroutine()) {
        assume_graph_lock();
        return bdrv_co_pwrite(child, offset, bytes, buf);
    } else {
        BdrvPwrite s = {
            .poll_state.ctx = qemu_get_current_aio_context(),
            .poll_state.in_progress = true,
            .child = child,
            .offset = offset,
            .bytes = bytes,
            .buf = buf,
        };

        s.poll_state.co = qemu_coroutine_create(bdrv_co_pwrite_entry, &s);
        bdrv_poll_co(&s.poll_state);
        return s.ret;
    }
}


/* bdrv_flush() runs bdrv_co_flush() in a coroutine. */

typedef struct BdrvFlush {
    BdrvPollCo poll_state;
    int ret;
    BlockDriverState *bs;
} BdrvFlush;

static void coroutine_fn bdrv_co_flush_entry(void *opaque)
{
    BdrvFlush *s = opaque;

    bdrv_graph_co_rdlock();
    s->ret = bdrv_co_flush(s->bs);
    bdrv_graph_co_rdunlock();
    s->poll_state.in_progress = false;

    aio_wait_kick();
}

int bdrv_flush(BlockDriverState *bs)
{
    BdrvFlush s = {
        .poll_state.ctx = qemu_get_current_aio_context(),
        .poll_state.in_progress = true,
        .bs = bs,
    };

    assert(!qemu_in_coroutine());
    s.poll_state.co = qemu_coroutine_create(bdrv_co_flush_entry, &s);
    bdrv_poll_co(&s.poll_state);
    return s.ret;
}


/* bdrv_getlength() runs bdrv_co_getlength() in a coroutine. */

typedef struct BdrvGetlength {
    BdrvPollCo poll_state;
    int64_t ret;
    BlockDriverState *bs;
} BdrvGetlength;

static void coroutine_fn bdrv_co_getlength_entry(void *opaque)
{
    BdrvGetlength *s = opaque;

    s->ret = bdrv_co_getlength(s->bs);
    s->poll_state.in_progress = false;

    aio_wait_kick();
}

int64_t bdrv_getlength(BlockDriverState *bs)
{
    if (qemu_in_coroutine()) {
        return bdrv_co_getlength(bs);
    } else {
        BdrvGetlength s = {
            .poll_state.ctx = qemu_get_current_aio_context(),
            .poll_state.in_progress = true,
            .bs = bs,
        };

        s.poll_state.co = qemu_coroutine_create(bdrv_co_getlength_entry, &s);
        bdrv_poll_co(&s.poll_state);
        return s.ret;
    }
}


/* bdrv_wait_idle() runs bdrv_co_wait_idle() in a coroutine. */

typedef struct BdrvWaitIdle {
    BdrvPollCo poll_state;
    BlockDriverState *bs;
} BdrvWaitIdle;

static void coroutine_fn bdrv_co_wait_idle_entry(void *opaque)
{
    BdrvWaitIdle *s = opaque;

    bdrv_co_wait_idle(s->bs);
    s->poll_state.in_progress = false;

    aio_wait_kick();
}

void bdrv_wait_idle(BlockDriverState *bs)
{
    BdrvWaitIdle s = {
        .poll_state.ctx = qemu_get_current_aio_context(),
        .poll_state.in_progress = true,
        .bs = bs,
    };

    assert(!qemu_in_coroutine());
    s.poll_state.co = qemu_coroutine_create(bdrv_co_wait_idle_entry, &s);
    bdrv_poll_co(&s.poll_state);
}


/* bdrv_co_open() runs bdrv_open() in a bottom half. */

typedef struct BdrvCoOpen {
    Coroutine *co;
    BlockDriverState *ret;
    const char *filename;
    const char *format;
} BdrvCoOpen;

static void bdrv_open_bh(void *opaque)
{
    BdrvCoOpen *s = opaque;

    s->ret = bdrv_open(s->filename, s->format);

    aio_co_wake(s->co);
}

BlockDriverState *coroutine_fn bdrv_co_open(const char *filename, const char *format)
{
    BdrvCoOpen s = {
        .co = qemu_coroutine_self(),
        .filename = filename,
        .format = format,
    };

    assert(qemu_in_coroutine());
    aio_bh_schedule_oneshot(qemu_get_aio_context(), bdrv_open_bh, &s);
    qemu_coroutine_yield();
    return s.ret;
}


/* bdrv_co_append() runs bdrv_append() in a bottom half. */

typedef struct BdrvCoAppend {
    Coroutine *co;
    int ret;
    BlockDriverState *bs;
    BlockDriverState *parent;
} BdrvCoAppend;

static void bdrv_append_bh(void *opaque)
{
    BdrvCoAppend *s = opaque;

    bdrv_graph_wrlock();
    s->ret = bdrv_append(s->bs, s->parent);
    bdrv_graph_wrunlock();

    aio_co_wake(s->co);
}

int coroutine_fn bdrv_co_append(BlockDriverState *bs, BlockDriverState *parent)
{
    BdrvCoAppend s = {
        .co = qemu_coroutine_self(),
        .bs = bs,
        .parent = parent,
    };

    assert(qemu_in_coroutine());
    aio_bh_schedule_oneshot(qemu_get_aio_context(), bdrv_append_bh, &s);
    qemu_coroutine_yield();
    return s.ret;
}


/* bdrv_co_count_children() runs bdrv_count_children() in a bottom half. */

typedef struct BdrvCoCountChildren {
    Coroutine *co;
    int ret;
    BlockDriverState *bs;
} BdrvCoCountChildren;

static void bdrv_count_children_bh(void *opaque)
{
    BdrvCoCountChildren *s = opaque;

    bdrv_graph_rdlock_main_loop();
    s->ret = bdrv_count_children(s->bs);
    bdrv_graph_rdunlock_main_loop();

    aio_co_wake(s->co);
}

int coroutine_fn bdrv_co_count_children(BlockDriverState *bs)
{
    BdrvCoCountChildren s = {
        .co = qemu_coroutine_self(),
        .bs = bs,
    };

    assert(qemu_in_coroutine());
    aio_bh_schedule_oneshot(qemu_get_aio_context(), bdrv_count_children_bh, &s);
    qemu_coroutine_yield();
    return s.ret;
}
