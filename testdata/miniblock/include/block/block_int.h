/*
 * The inside of the block layer: a node, its edges, and what a driver has to
 * provide.  The driver's slots bear the marks of the functions they hold, so
 * a call through a slot is judged like a call by name.
 */
#ifndef BLOCK_INT_H
#define BLOCK_INT_H

#include "block/block-common.h"
#include "qemu/lockable.h"

struct BlockDriver {
    const char *format_name;
    size_t instance_size;

    int (*bdrv_open)(BlockDriverState *bs);
    void no_coroutine_fn (*bdrv_close)(BlockDriverState *bs);

    int coroutine_fn GRAPH_RDLOCK_PTR (*bdrv_co_pread)(
        BlockDriverState *bs, int64_t offset, int64_t bytes, void *buf);
    int coroutine_fn GRAPH_RDLOCK_PTR (*bdrv_co_pwrite)(
        BlockDriverState *bs, int64_t offset, int64_t bytes, const void *buf);
    int coroutine_fn GRAPH_RDLOCK_PTR (*bdrv_co_flush)(BlockDriverState *bs);
    int64_t coroutine_fn (*bdrv_co_getlength)(BlockDriverState *bs);
};

struct BdrvChild {
    BlockDriverState *bs;
    const char *name;
};

/* A request in flight. */
typedef struct BdrvTrackedRequest {
    int64_t offset;
    int64_t bytes;
    bool coroutine_fn serialising; /* expect: warning misplaced-mark: coroutine_fn */
    CoroutineEntry *completed; /* near miss: a mark on a function pointer, through its typedef */
} BdrvTrackedRequest;

#define BDRV_MAX_CHILDREN 4

struct BlockDriverState {
    const BlockDriver *drv;
    const char *filename;
    void *opaque;
    int64_t total_bytes;
    BdrvChild children[BDRV_MAX_CHILDREN];
    int nb_children;
    BdrvTrackedRequest tracked;
    QemuMutex stats_lock;
    uint64_t nb_reads;
    uint64_t nb_writes;
    bool busy;
};

extern const BlockDriver bdrv_raw;
extern const BlockDriver bdrv_stripe;

#endif
