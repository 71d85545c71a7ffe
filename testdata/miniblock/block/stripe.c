/*
 * A driver that spreads its bytes over its children.  Teaches guards that
 * hide in a cleanup attribute, a helper with two kinds of callers, and an
 * assert at odds with the mark beside it.
 */
#include "qemu/osdep.h"
#include "block/block_int.h"
#include "block/block-io.h"

typedef struct StripeState {
    int64_t chunk;
    uint64_t histogram[BDRV_MAX_CHILDREN];
} StripeState;

static int stripe_co_drain(BlockDriverState *bs); /* expect: warning mark-mismatch: stripe_co_drain */
static int64_t coroutine_fn stripe_co_getlength(BlockDriverState *bs);

/* Opened from either context, or so the mark says. */
static int coroutine_mixed_fn stripe_open(BlockDriverState *bs)
{
    StripeState *s = bs->opaque;

    s->chunk = BDRV_SECTOR_SIZE;
    assert(!qemu_in_coroutine()); /* expect: warning assert-contradicts-mark: stripe_open */
    return 0;
}

static void stripe_close(BlockDriverState *bs)
{
    StripeState *s = bs->opaque;

    s->chunk = 0;
}

static BdrvChild *stripe_child(BlockDriverState *bs, int64_t offset)
{
    StripeState *s = bs->opaque;

    return &bs->children[(offset / s->chunk) % bs->nb_children];
}

static int coroutine_fn GRAPH_RDLOCK
stripe_co_pread(BlockDriverState *bs, int64_t offset, int64_t bytes, void *buf)
{
    StripeState *s = bs->opaque;
    uint8_t *to = buf;
    int ret;

    while (bytes > 0) {
        int64_t step = MINI_MIN(bytes, s->chunk - offset % s->chunk);

        ret = bdrv_co_pread(stripe_child(bs, offset), offset, step, to); /* near miss: marked */
        if (ret < 0) {
            return ret;
        }
        offset += step;
        bytes -= step;
        to += step;
    }
    return 0;
}

static int coroutine_fn GRAPH_RDLOCK
stripe_co_pwrite(BlockDriverState *bs, int64_t offset, int64_t bytes,
                 const void *buf)
{
    StripeState *s = bs->opaque;
    const uint8_t *from = buf;
    int ret;

    while (bytes > 0) {
        int64_t step = MINI_MIN(bytes, s->chunk - offset % s->chunk);

        ret = bdrv_co_pwrite(stripe_child(bs, offset), offset, step, from); /* near miss: marked */
        if (ret < 0) {
            return ret;
        }
        offset += step;
        bytes -= step;
        from += step;
    }
    return 0;
}

/* Called from the coroutine that flushes and from the outside that closes. */
static int stripe_sync(BlockDriverState *bs)
{
    int ret = 0;

    for (int i = 0; i < bs->nb_children; i++) {
        ret |= bdrv_co_flush(bs->children[i].bs); /* expect: error coroutine-call: bdrv_co_flush */
    }
    return ret;
}

static int coroutine_fn stripe_co_flush(BlockDriverState *bs)
{
    return stripe_co_drain(bs) ?: stripe_sync(bs); /* near miss: marks add up, and stripe_sync is the root */
}

static int coroutine_fn stripe_co_drain(BlockDriverState *bs)
{
    GRAPH_RDLOCK_GUARD(); /* near miss: marked */

    for (int i = 0; i < bs->nb_children; i++) {
        bdrv_co_wait_idle(bs->children[i].bs);
    }
    return 0;
}

static int64_t coroutine_fn stripe_co_getlength(BlockDriverState *bs)
{
    int64_t total = 0;

    for (int i = 0; i < bs->nb_children; i++) {
        total += bdrv_co_getlength(bs->children[i].bs); /* near miss: prototype and definition agree */
    }
    return total;
}

void no_coroutine_fn stripe_prepare_close(BlockDriverState *bs);

void no_coroutine_fn stripe_prepare_close(BlockDriverState *bs)
{
    stripe_sync(bs); /* near miss: stripe_sync is the root */
    bdrv_graph_rdlock_main_loop(); /* near miss: outside, as it asserts */
    ((StripeState *)bs->opaque)->histogram[0] = bdrv_getlength(bs); /* near miss: the wrapper */
    bdrv_graph_rdunlock_main_loop();
}

/* The guard takes the lock, and its cleanup attribute drops it. */
uint64_t stripe_busiest(BlockDriverState *bs);

uint64_t stripe_busiest(BlockDriverState *bs)
{
    StripeState *s = bs->opaque;
    uint64_t most = 0;
    GRAPH_RDLOCK_GUARD(); /* expect: error coroutine-call: graph_lockable_auto_ */

    for (int i = 0; i < bs->nb_children; i++) {
        most = most > s->histogram[i] ? most : s->histogram[i];
    }
    return most;
}

const BlockDriver bdrv_stripe = {
    .format_name = "stripe",
    .instance_size = sizeof(StripeState),
    .bdrv_open = stripe_open, /* near miss: an either function goes anywhere */
    .bdrv_close = stripe_close,
    .bdrv_co_pread = stripe_co_pread, /* near miss: function and slot bear the same mark */
    .bdrv_co_pwrite = stripe_co_pwrite,
    .bdrv_co_flush = stripe_co_flush,
    .bdrv_co_getlength = stripe_co_getlength,
};
