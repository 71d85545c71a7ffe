/*
 * The event loop.  Bottom halves are callbacks that run from aio_poll(),
 * outside of coroutines; AIO_WAIT_WHILE() polls until a condition ends.
 */
#ifndef BLOCK_AIO_H
#define BLOCK_AIO_H

#include "qemu/coroutine.h"

typedef struct AioContext AioContext;
typedef void QEMUBHFunc(void *opaque);

AioContext *qemu_get_aio_context(void);
AioContext *qemu_get_current_aio_context(void);

void aio_bh_schedule_oneshot(AioContext *ctx, QEMUBHFunc *cb, void *opaque);
void aio_co_schedule(AioContext *ctx, Coroutine *co);
void aio_co_enter(AioContext *ctx, Coroutine *co);
void aio_co_wake(Coroutine *co);
void aio_wait_kick(void);

/* Runs what is due; waits for something to become due if @blocking. */
bool no_coroutine_fn aio_poll(AioContext *ctx, bool blocking);

/* The condition is written down twice and evaluated once a round. */
#define AIO_WAIT_WHILE(ctx, cond)               \
    ({                                          \
        bool waited_ = false;                   \
        if (cond) {                             \
            do {                                \
                aio_poll((ctx), true);          \
                waited_ = true;                 \
            } while (cond);                     \
        }                                       \
        waited_;                                \
    })

#endif
