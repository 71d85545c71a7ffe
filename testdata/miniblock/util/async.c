/*
 * The event loop: a list of bottom halves and of coroutines to enter.
 * What a bottom half calls runs outside of coroutines, because aio_poll() does.
 */
#include "qemu/osdep.h"
#include "block/aio.h"

typedef struct BottomHalf BottomHalf;

struct BottomHalf {
    QEMUBHFunc *cb;
    void *opaque;
    BottomHalf *next;
};

struct AioContext {
    BottomHalf *first;
    BottomHalf **last;
    bool kicked;
};

static AioContext main_context;

AioContext *qemu_get_aio_context(void)
{
    if (!main_context.last) {
        main_context.last = &main_context.first;
    }
    return &main_context;
}

AioContext *qemu_get_current_aio_context(void)
{
    return qemu_get_aio_context();
}

void aio_bh_schedule_oneshot(AioContext *ctx, QEMUBHFunc *cb, void *opaque)
{
    BottomHalf *bh = calloc(1, sizeof(*bh));

    if (!bh) {
        abort();
    }
    bh->cb = cb;
    bh->opaque = opaque;
    *ctx->last = bh;
    ctx->last = &bh->next;
}

static void enter_bh(void *opaque)
{
    qemu_coroutine_enter(opaque); /* near miss: entering is for everybody */
}

void aio_co_schedule(AioContext *ctx, Coroutine *co)
{
    aio_bh_schedule_oneshot(ctx, enter_bh, co);
}

void aio_co_enter(AioContext *ctx, Coroutine *co)
{
    if (qemu_in_coroutine()) {
        aio_co_schedule(ctx, co);
    } else {
        qemu_coroutine_enter(co);
    }
}

void aio_co_wake(Coroutine *co)
{
    aio_co_enter(qemu_get_current_aio_context(), co);
}

void aio_wait_kick(void)
{
    qemu_get_aio_context()->kicked = true;
}

bool no_coroutine_fn aio_poll(AioContext *ctx, bool blocking)
{
    BottomHalf *bh = ctx->first;

    assert(!qemu_in_coroutine()); /* near miss: the mark says so, too */
    if (!bh) {
        if (blocking && !ctx->kicked) {
            abort(); /* nothing would ever become due */
        }
        ctx->kicked = false;
        return false;
    }
    ctx->first = bh->next;
    if (!ctx->first) {
        ctx->last = &ctx->first;
    }
    bh->cb(bh->opaque);
    free(bh);
    return true;
}
