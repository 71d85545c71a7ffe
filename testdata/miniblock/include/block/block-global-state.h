/*
 * Functions that change the graph.  They belong to the main loop; coroutines
 * reach them through wrappers of the other kind, which go to a bottom half.
 */
#ifndef BLOCK_GLOBAL_STATE_H
#define BLOCK_GLOBAL_STATE_H

#include "block/block-common.h"

BlockDriverState *no_coroutine_fn
bdrv_open(const char *filename, const char *format);
BlockDriverState *coroutine_fn no_co_wrapper
bdrv_co_open(const char *filename, const char *format);

void no_coroutine_fn bdrv_close(BlockDriverState *bs);

int GRAPH_WRLOCK bdrv_append(BlockDriverState *bs, BlockDriverState *parent);
int coroutine_fn no_co_wrapper_bdrv_wrlock
bdrv_co_append(BlockDriverState *bs, BlockDriverState *parent);

int GRAPH_RDLOCK bdrv_count_children(BlockDriverState *bs);
int coroutine_fn no_co_wrapper_bdrv_rdlock
bdrv_co_count_children(BlockDriverState *bs);

#endif
