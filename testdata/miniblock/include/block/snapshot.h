/*
 * Snapshots: a header in the making.  Nobody gave it to the generator yet, so
 * each wrapper that it asks for is missing from block/block-gen.c; and most
 * of the declarations have a mistake of their own.
 */
#ifndef BLOCK_SNAPSHOT_H
#define BLOCK_SNAPSHOT_H

#include "block/block-common.h"

int coroutine_fn GRAPH_RDLOCK
bdrv_co_snapshot_list(BlockDriverState *bs, int64_t *sizes);
int co_wrapper_mixed_bdrv_rdlock /* expect: error wrapper-not-generated: bdrv_snapshot_list */
bdrv_snapshot_list(BlockDriverState *bs, int64_t *sizes); /* near miss: otherwise as it should be */

int co_wrapper /* expect: error wrapper-target-missing: bdrv_co_snapshot_create */ /* expect: error wrapper-not-generated */
bdrv_snapshot_create(BlockDriverState *bs);

int coroutine_fn bdrv_co_snapshot_goto(BlockDriverState *bs, int64_t id);
int co_wrapper /* expect: error wrapper-not-generated: bdrv_snapshot_goto */
bdrv_snapshot_goto(BlockDriverState *bs, int id); /* expect: error wrapper-signature-mismatch: bdrv_co_snapshot_goto */

int bdrv_co_snapshot_count(BlockDriverState *bs);
int co_wrapper_mixed /* expect: error wrapper-target-context: unmarked */ /* expect: error wrapper-not-generated */
bdrv_snapshot_count(BlockDriverState *bs);

int coroutine_fn GRAPH_RDLOCK bdrv_co_snapshot_load(BlockDriverState *bs);
int co_wrapper /* expect: error wrapper-lock-variant: co_wrapper_bdrv_rdlock */ /* expect: error wrapper-not-generated */
bdrv_snapshot_load(BlockDriverState *bs);

int coroutine_fn bdrv_co_snapshot_delete(BlockDriverState *bs);
int no_coroutine_fn co_wrapper
bdrv_snapshot_delete(BlockDriverState *bs);

#endif
