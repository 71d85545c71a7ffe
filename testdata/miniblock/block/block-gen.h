/*
 * What the generated wrappers in block-gen.c have in common, written by hand:
 * the state a wrapper polls on, and the polling.
 */
#ifndef BLOCK_BLOCK_GEN_H
#define BLOCK_BLOCK_GEN_H

#include "block/block_int.h"

typedef struct BdrvPollCo {
    AioContext *ctx;
    bool in_progress;
    Coroutine *co;
} BdrvPollCo;

static inline void no_coroutine_fn bdrv_poll_co(BdrvPollCo *s)
{
    assert(!qemu_in_coroutine()); /* near miss: the mark says so, too */
    aio_co_enter(s->ctx, s->co);
    AIO_WAIT_WHILE(s->ctx, s->in_progress);
}

#endif
