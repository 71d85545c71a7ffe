/*
 * What the generated wrappers of the old tree have in common, written by
 * hand: the result lives in the poll state, and polling returns it.
 */
#ifndef BLOCK_BLOCK_GEN_H
#define BLOCK_BLOCK_GEN_H

#include "block/block_int.h"

typedef struct BdrvPollCo {
    BlockDriverState *bs;
    bool in_progress;
    int ret;
    Coroutine *co;
} BdrvPollCo;

static inline int bdrv_poll_co(BdrvPollCo *s)
{
    bdrv_coroutine_enter(s->bs, s->co); /* near miss: entering is for everybody */
    BDRV_POLL_WHILE(s->bs, s->in_progress);
    return s->ret;
}

#endif
