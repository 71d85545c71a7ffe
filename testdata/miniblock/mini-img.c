/*
 * A tool on top of the block layer.  Teaches the view from the outside: most
 * of it goes through wrappers, one command calls a coroutine function, one
 * goes past the wrapper through a driver's slot, and one has comments that
 * excuse what it does.
 */
#include "qemu/osdep.h"
#include "qemu/job.h"
#include "block/block-io.h"
#include "block/block-global-state.h"
#include "block/block_int.h"
#include "io/channel.h"

#ifndef MINI_IMG_TITLE
#define MINI_IMG_TITLE "mini-img"
#endif

static int img_copy(BlockDriverState *from, BlockDriverState *to)
{
    BdrvChild source = { .bs = from };
    BdrvChild target = { .bs = to };
    uint8_t buf[BDRV_SECTOR_SIZE];
    int64_t length = bdrv_getlength(from); /* near miss: the wrapper */

    for (int64_t offset = 0; offset < length; offset += sizeof(buf)) {
        if (bdrv_pread(&source, offset, sizeof(buf), buf) < 0 || /* near miss: the wrapper */
            bdrv_pwrite(&target, offset, sizeof(buf), buf) < 0) { /* near miss: the wrapper */
            return -1;
        }
    }
    return bdrv_flush(to); /* near miss: the wrapper */
}

static int img_sync(BlockDriverState *bs)
{
    return bdrv_co_flush(bs); /* expect: error coroutine-call: bdrv_co_flush */
}

static int64_t img_length(BlockDriverState *bs)
{
    return bs->drv->bdrv_co_getlength(bs); /* expect: error coroutine-call: call through */
}

static int img_check(BlockDriverState *bs)
{
    /* cowrap: allow(coroutine-call) teaches what a comment does */
    int first = bdrv_co_flush(bs);
    int second = bdrv_co_flush(bs); /* cowrap: allow(coroutine-call) */ /* expect: error malformed-suppression: without a reason */

    return first + second + bdrv_flush(bs); /* cowrap: allow(coroutine-call) it was _co_ once */ /* expect: warning unused-suppression */
}

typedef struct ImgBench {
    BlockDriverState *bs;
    int ret;
} ImgBench;

static void coroutine_fn img_bench_entry(void *opaque)
{
    ImgBench *bench = opaque;

    bdrv_graph_co_rdlock();
    bench->ret = bdrv_co_flush(bench->bs); /* near miss: a coroutine's entry */
    bdrv_graph_co_rdunlock();
}

static int img_bench(BlockDriverState *bs)
{
    ImgBench bench = { .bs = bs, .ret = 1 };

    qemu_coroutine_enter(qemu_coroutine_create(img_bench_entry, &bench)); /* near miss: the way in */
    AIO_WAIT_WHILE(qemu_get_aio_context(), bench.ret == 1);
    return bench.ret;
}

static int img_commit(BlockDriverState *bs, BlockDriverState *parent)
{
    Job *job = commit_job_create(bs, parent);
    int ret;

    job_start(job);
    ret = job_is_cancelled(job) ? -1 : job_finish_sync(job); /* near miss: the suspect mark is in job.h */
    free(job);
    return ret;
}

int main(int argc, char **argv)
{
    BlockDriverState *from, *to;
    int ret = 1;

    if (argc < 2) {
        return sizeof(MINI_IMG_TITLE) == 1;
    }
    from = bdrv_open("from", "raw"); /* near miss: main may block */
    to = bdrv_open("to", "raw");
    if (!from || !to) {
        abort();
    }
    if (!strcmp(argv[1], "copy")) {
        ret = img_copy(from, to);
    } else if (!strcmp(argv[1], "sync")) {
        ret = img_sync(from);
    } else if (!strcmp(argv[1], "length")) {
        ret = img_length(from) == 0;
    } else if (!strcmp(argv[1], "check")) {
        ret = img_check(from);
    } else if (!strcmp(argv[1], "bench")) {
        ret = img_bench(from);
    } else if (!strcmp(argv[1], "commit")) {
        ret = img_commit(from, to);
    }
    bdrv_close(from);
    bdrv_close(to);
    return ret;
}
