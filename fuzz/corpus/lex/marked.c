/* A block layer in a few lines. */
#ifndef BLOCK_H
#define BLOCK_H
#include "qemu/osdep.h"
#include <stdint.h>

#define TRACE(fmt, ...) do { if (0) { printf(fmt, ## __VA_ARGS__); } } while (0)

typedef struct BlockDriver {
    int coroutine_fn (*bdrv_co_flush)(struct BlockDriver *bs);
} BlockDriver;

int coroutine_fn GRAPH_RDLOCK
bdrv_co_flush(BlockDriver *bs, uint64_t bytes, /* in bytes */
              const char *name);
int co_wrapper bdrv_flush(BlockDriver *bs, uint64_t bytes, const char *name);

static inline int flush_all(BlockDriver *bs)
{
    /* cowrap: allow(coroutine-call) tests only */
    return bdrv_co_flush(bs, 0x1p3 + 1'000, "a\"b\\" L"c" 'd');
}
#endif /* BLOCK_H */
