/* A wrapper of every kind that this release has. */
#ifndef BLOCK_COROUTINES_H
#define BLOCK_COROUTINES_H

#include "block/graph-lock.h"

#define co_wrapper
#define co_wrapper_mixed
#define co_wrapper_bdrv_rdlock
#define co_wrapper_mixed_bdrv_rdlock
#define no_co_wrapper
#define no_co_wrapper_bdrv_rdlock
#define no_co_wrapper_bdrv_wrlock

int coroutine_fn bdrv_co_sync(BlockDriverState *bs, int64_t offset, char *buf);
int co_wrapper bdrv_sync(BlockDriverState *bs, int64_t offset, char *buf);

const char *coroutine_fn bdrv_co_name(BdrvChild *child);
const char *co_wrapper_mixed bdrv_name(BdrvChild *child);

int64_t coroutine_fn GRAPH_RDLOCK blk_co_length(BlockBackend *blk);
int64_t co_wrapper_bdrv_rdlock blk_length(BlockBackend *blk);

void coroutine_fn GRAPH_RDLOCK bdrv_co_trim(BlockDriverState *bs, bool hard);
void co_wrapper_mixed_bdrv_rdlock bdrv_trim(BlockDriverState *bs, bool hard);

/* Nothing here says where it runs. */
unsigned int coroutine_fn bdrv_co_create(const char *name, unsigned int flags);
unsigned int co_wrapper bdrv_create(const char *name, unsigned int flags);

BdrvChild *bdrv_attach(BlockDriverState *parent, const char *role);
BdrvChild *coroutine_fn no_co_wrapper
bdrv_co_attach(BlockDriverState *parent, const char *role);

void bdrv_reopen(int level, int speed);
void no_co_wrapper bdrv_co_reopen(int level, int speed);

int GRAPH_RDLOCK bdrv_count(BdrvChild *child);
int no_co_wrapper_bdrv_rdlock bdrv_co_count(BdrvChild *child);

void GRAPH_WRLOCK blk_detach(BlockBackend *blk);
void no_co_wrapper_bdrv_wrlock blk_co_detach(BlockBackend *blk);

#endif
