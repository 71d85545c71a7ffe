/*
 * The inside of the old block layer: a node and its driver.  The driver's
 * slots bear marks for the reader's eye, and one field bears one by mistake.
 */
#ifndef BLOCK_INT_H
#define BLOCK_INT_H

#include "block/block.h"

struct BlockDriver {
    const char *format_name;
    size_t instance_size;
    int (*bdrv_open)(BlockDriverState *bs);
    void (*bdrv_close)(BlockDriverState *bs);
    int coroutine_fn (*bdrv_co_pread)(BlockDriverState *bs, int64_t offset,
                                      int64_t bytes, void *buf);
    int coroutine_fn (*bdrv_co_pwrite)(BlockDriverState *bs, int64_t offset,
                                       int64_t bytes, const void *buf);
    int coroutine_fn (*bdrv_co_flush)(BlockDriverState *bs);
};

struct BdrvChild {
    BlockDriverState *bs;
};

struct BlockDriverState {
    const BlockDriver *drv;
    const char *filename;
    void *opaque;
    Coroutine *owner;
    int coroutine_fn in_flight; /* expect: warning misplaced-mark: coroutine_fn */
    CoroutineEntry *on_idle; /* near miss: a mark on a function pointer, through its typedef */
};

extern const BlockDriver bdrv_mem;

#endif
