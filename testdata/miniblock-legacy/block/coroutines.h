/*
 * Targets and wrappers that only the block layer itself uses.  The generator
 * reads this header as well as block.h.
 */
#ifndef BLOCK_COROUTINES_H
#define BLOCK_COROUTINES_H

#include "block/block_int.h"

int coroutine_fn bdrv_co_check(BlockDriverState *bs, BdrvCheckResult *res,
                               bool fix);

int generated_co_wrapper
bdrv_pread(BdrvChild *child, int64_t offset, int64_t bytes, void *buf);

#endif
