/*
 * Functions that do I/O.  Each comes as a coroutine_fn that does the work;
 * where others need it, a declaration with a wrapper mark makes the generator
 * write the way in for them.
 */
#ifndef BLOCK_IO_H
#define BLOCK_IO_H

#include "block/block-common.h"

int coroutine_fn GRAPH_RDLOCK
bdrv_co_pread(BdrvChild *child, int64_t offset, int64_t bytes, void *buf);
int co_wrapper_mixed_bdrv_rdlock
bdrv_pread(BdrvChild *child, int64_t offset, int64_t bytes, void *buf);

int coroutine_fn GRAPH_RDLOCK
bdrv_co_pwrite(BdrvChild *child, int64_t offset, int64_t bytes,
               const void *buf);
int co_wrapper_mixed_bdrv_rdlock
bdrv_pwrite(BdrvChild *child, int64_t offset, int64_t bytes, const void *buf);

int coroutine_fn GRAPH_RDLOCK bdrv_co_flush(BlockDriverState *bs);
int co_wrapper_bdrv_rdlock bdrv_flush(BlockDriverState *bs);

int64_t coroutine_fn bdrv_co_getlength(BlockDriverState *bs);
int64_t co_wrapper_mixed bdrv_getlength(BlockDriverState *bs);

void coroutine_fn bdrv_co_wait_idle(BlockDriverState *bs);
void co_wrapper bdrv_wait_idle(BlockDriverState *bs);

/* Without a wrapper: only coroutines change the length of a node. */
int coroutine_fn GRAPH_RDLOCK
bdrv_co_truncate(BdrvChild *child, int64_t bytes);

int64_t bdrv_refresh_length(BlockDriverState *bs, bool in_request);
int coroutine_mixed_fn bdrv_detach_all(BlockDriverState *bs);

#endif
