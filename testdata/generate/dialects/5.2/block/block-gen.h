/* What generated wrappers have in common: they poll for a node. */
#ifndef BLOCK_BLOCK_GEN_H
#define BLOCK_BLOCK_GEN_H

typedef struct BdrvPollCo {
    BlockDriverState *bs;
    bool in_progress;
    int ret;
    Coroutine *co;
} BdrvPollCo;

static inline int bdrv_poll_co(BdrvPollCo *s)
{
    assert(!qemu_in_coroutine());
    bdrv_coroutine_enter(s->bs, s->co);
    BDRV_POLL_WHILE(s->bs, s->in_progress);
    return s->ret;
}

#endif
