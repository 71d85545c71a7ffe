/*
 * A driver that keeps its bytes in memory.  Teaches how a driver's table
 * holds marked functions, and that one file may be two: the probe below is
 * compiled in the second of its two entries in the database only.
 */
#include "qemu/osdep.h"
#include "block/block_int.h"
#include "block/block-io.h"

#define RAW_SIZE (64 * BDRV_SECTOR_SIZE)

typedef struct RawState {
    CoMutex lock;
    uint8_t bytes[RAW_SIZE];
} RawState;

static int raw_open(BlockDriverState *bs)
{
    RawState *s = bs->opaque;

    qemu_co_mutex_init(&s->lock); /* near miss: making a lock takes none */
    bs->total_bytes = RAW_SIZE;
    return 0;
}

static void raw_close(BlockDriverState *bs)
{
    memset(bs->opaque, 0, sizeof(RawState));
}

/* Waits one round of the event loop, as a real disk would. */
static void coroutine_fn raw_co_wait(void)
{
    aio_co_schedule(qemu_get_current_aio_context(), qemu_coroutine_self());
    qemu_coroutine_yield(); /* near miss: marked */
}

static bool raw_in_range(int64_t offset, int64_t bytes)
{
    return offset >= 0 && bytes >= 0 && offset + bytes <= RAW_SIZE;
}

static int coroutine_fn raw_co_pread(BlockDriverState *bs, int64_t offset,
                                     int64_t bytes, void *buf)
{
    RawState *s = bs->opaque;
    QEMU_LOCK_GUARD(&s->lock); /* near miss: the arm for CoMutex, in a coroutine */

    if (unlikely(!raw_in_range(offset, bytes))) {
        return -1;
    }
    raw_co_wait();
    memcpy(buf, s->bytes + offset, bytes);
    return 0;
}

static int coroutine_fn raw_co_pwrite(BlockDriverState *bs, int64_t offset,
                                      int64_t bytes, const void *buf)
{
    RawState *s = bs->opaque;

    qemu_co_mutex_lock(&s->lock); /* near miss: marked */
    if (unlikely(!raw_in_range(offset, bytes))) {
        qemu_co_mutex_unlock(&s->lock);
        return -1;
    }
    raw_co_wait();
    memcpy(s->bytes + offset, buf, bytes);
    qemu_co_mutex_unlock(&s->lock);
    return 0;
}

static int coroutine_fn raw_co_flush(BlockDriverState *bs)
{
    raw_co_wait();
    return 0;
}

static int64_t coroutine_fn raw_co_getlength(BlockDriverState *bs)
{
    return bs->total_bytes; /* near miss: marked for the table's sake */
}

#ifdef CONFIG_RAW_PROBE
bool raw_probe(BlockDriverState *bs);

bool raw_probe(BlockDriverState *bs)
{
    uint8_t first;

    if (raw_co_pread(bs, 0, 1, &first) < 0) { /* expect: error coroutine-call: raw_co_pread */
        return false;
    }
    return first == 'R';
}
#endif

const BlockDriver bdrv_raw = {
    .format_name = "raw",
    .instance_size = sizeof(RawState),
    .bdrv_open = raw_open,
    .bdrv_close = raw_close, /* near miss: an unmarked function may run outside */
    .bdrv_co_pread = raw_co_pread, /* near miss: function and slot bear the same mark */
    .bdrv_co_pwrite = raw_co_pwrite,
    .bdrv_co_flush = raw_co_flush,
    .bdrv_co_getlength = raw_co_getlength,
};
