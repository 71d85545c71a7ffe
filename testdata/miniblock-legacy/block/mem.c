/*
 * A driver that keeps its bytes in memory.  Teaches a guard that is the wrong
 * way round, an assert that stands where a mark should, and a driver's table.
 */
#include "qemu/osdep.h"
#include "block/block_int.h"

#define MEM_SIZE (16 * BDRV_SECTOR_SIZE)

typedef struct MemState {
    Coroutine *last_user;
    uint8_t bytes[MEM_SIZE];
} MemState;

static void coroutine_fn mem_co_wait(void)
{
    aio_co_schedule(qemu_coroutine_self()); /* near miss: marked */
    qemu_coroutine_yield();
}

/* Meant to wait outside and to yield inside, but turned round. */
static void mem_settle(void)
{
    if (qemu_in_coroutine()) {
        aio_wait_kick();
    } else {
        mem_co_wait(); /* expect: error coroutine-call: mem_co_wait */
    }
}

/* The same, the right way round. */
static void mem_settle_right(void)
{
    if (!qemu_in_coroutine()) {
        aio_wait_kick();
        return;
    }
    mem_co_wait(); /* near miss: the others have returned */
}

static void mem_next_turn(MemState *s)
{
    assert(qemu_in_coroutine()); /* expect: warning assert-without-mark: mem_next_turn */
    if (s->last_user) {
        mem_co_wait(); /* near miss: the finding is at the assert */
    }
}

static void mem_remember_user(MemState *s)
{
    s->last_user = qemu_coroutine_self(); /* near miss: the suspect mark is in coroutine.h */
}

static int mem_open(BlockDriverState *bs)
{
    mem_settle_right(); /* near miss: it finds out where it is */
    return bs->opaque ? 0 : -1;
}

static void mem_close(BlockDriverState *bs)
{
    mem_settle(); /* near miss: the root cause is in mem_settle */
    memset(bs->opaque, 0, sizeof(MemState));
}

static bool mem_in_range(int64_t offset, int64_t bytes)
{
    return offset >= 0 && bytes >= 0 && offset + bytes <= MEM_SIZE;
}

static int coroutine_fn mem_co_pread(BlockDriverState *bs, int64_t offset,
                                     int64_t bytes, void *buf)
{
    MemState *s = bs->opaque;

    if (!mem_in_range(offset, bytes)) {
        return -1;
    }
    mem_next_turn(s); /* near miss: inside, as it asserts */
    mem_remember_user(s);
    memcpy(buf, s->bytes + offset, bytes);
    return 0;
}

static int coroutine_fn mem_co_pwrite(BlockDriverState *bs, int64_t offset,
                                      int64_t bytes, const void *buf)
{
    MemState *s = bs->opaque;

    if (!mem_in_range(offset, bytes)) {
        return -1;
    }
    mem_co_wait(); /* near miss: marked */
    mem_remember_user(s);
    memcpy(s->bytes + offset, buf, bytes);
    return 0;
}

static int coroutine_fn mem_co_flush(BlockDriverState *bs)
{
    mem_co_wait();
    return 0;
}

const BlockDriver bdrv_mem = {
    .format_name = "mem",
    .instance_size = sizeof(MemState),
    .bdrv_open = mem_open,
    .bdrv_close = mem_close,
    .bdrv_co_pread = mem_co_pread, /* near miss: function and slot bear the same mark */
    .bdrv_co_pwrite = mem_co_pwrite,
    .bdrv_co_flush = mem_co_flush,
};
