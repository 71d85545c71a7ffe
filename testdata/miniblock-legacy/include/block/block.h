/*
 * The public side of the old block layer.  A declaration that bears
 * generated_co_wrapper makes the generator write a function for both
 * contexts; a coroutine that knows what it is calls the target instead.
 */
#ifndef BLOCK_H
#define BLOCK_H

#include "block/aio.h"

/* Where it stands, block/block-gen.c gets a function.  Expands to nothing. */
#define generated_co_wrapper

#define BDRV_SECTOR_SIZE 512

typedef struct BlockDriver BlockDriver;
typedef struct BlockDriverState BlockDriverState;
typedef struct BdrvChild BdrvChild;

typedef struct BdrvCheckResult {
    int corruptions;
    int leaks;
} BdrvCheckResult;

BlockDriverState *bdrv_open(const char *filename);
void bdrv_close(BlockDriverState *bs);
void bdrv_drain(BlockDriverState *bs);
void bdrv_coroutine_enter(BlockDriverState *bs, Coroutine *co);

int coroutine_fn bdrv_co_pread(BdrvChild *child, int64_t offset, int64_t bytes,
                               void *buf);
int coroutine_fn bdrv_co_pwrite(BdrvChild *child, int64_t offset,
                                int64_t bytes, const void *buf);
int coroutine_fn bdrv_co_flush(BlockDriverState *bs);
void coroutine_fn bdrv_co_drain(BlockDriverState *bs);

/* The definition says more than this. */
int bdrv_is_zeroed(BdrvChild *child, int64_t offset); /* expect: warning mark-mismatch: bdrv_is_zeroed */

int generated_co_wrapper bdrv_flush(BlockDriverState *bs);
int generated_co_wrapper bdrv_check(BlockDriverState *bs, BdrvCheckResult *res,
                                    bool fix);

int bdrv_fill(BdrvChild *child, int64_t offset, uint8_t byte);
int bdrv_fill_maybe_locked(BdrvChild *child, const void *buf, bool locked);
bool bdrv_request_is_own(BlockDriverState *bs);

#define BDRV_POLL_WHILE(bs, cond)               \
    ({                                          \
        bool waited_ = false;                   \
        (void)(bs);                             \
        while (cond) {                          \
            aio_poll(true);                     \
            waited_ = true;                     \
        }                                       \
        waited_;                                \
    })

#endif
