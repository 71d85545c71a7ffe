/*
 * The event loop.  Teaches that most callers of qemu_coroutine_self() are
 * ordinary functions, which is how its mark gives itself away.
 */
#include "qemu/osdep.h"
#include "block/aio.h"

typedef struct BottomHalf BottomHalf;

struct BottomHalf {
    QEMUBHFunc *cb;
    void *opaque;
    BottomHalf *next;
};

static BottomHalf *first;
static BottomHalf **last = &first;
static bool kicked;

void aio_bh_schedule_oneshot(QEMUBHFunc *cb, void *opaque)
{
    BottomHalf *bh = calloc(1, sizeof(*bh));

    if (!bh) {
        abort();
    }
    bh->cb = cb;
    bh->opaque = opaque;
    *last = bh;
    last = &bh->next;
}

static void enter_bh(void *opaque)
{
    qemu_coroutine_enter(opaque); /* near miss: entering is for everybody */
}

void aio_co_schedule(Coroutine *co)
{
    aio_bh_schedule_oneshot(enter_bh, co);
}

void aio_co_schedule_self(void)
{
    aio_co_schedule(qemu_coroutine_self()); /* near miss: the suspect mark is in coroutine.h */
}

void aio_co_wake(Coroutine *co)
{
    if (qemu_in_coroutine()) {
        aio_co_schedule(co);
    } else {
        qemu_coroutine_enter(co);
    }
}

void aio_wait_kick(void)
{
    kicked = true;
}

bool aio_poll(bool blocking)
{
    BottomHalf *bh = first;

    if (!bh) {
        if (blocking && !kicked) {
            abort(); /* nothing would ever become due */
        }
        kicked = false;
        return false;
    }
    first = bh->next;
    if (!first) {
        last = &first;
    }
    bh->cb(bh->opaque);
    free(bh);
    return true;
}
