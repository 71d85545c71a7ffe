/*
 * A job that copies a node into its parent.  Teaches what a coroutine must
 * not do: take the writer's lock, poll, take the main loop's lock, and go
 * through a wrapper made for those who do not know where they are.
 */
#include "qemu/osdep.h"
#include "qemu/job.h"
#include "block/block-io.h"
#include "block/block-global-state.h"
#include "block/block_int.h"

typedef struct CommitJob {
    Job common;
    BlockDriverState *bs;
    BdrvChild target;
} CommitJob;

static int coroutine_fn commit_copy_chunk(CommitJob *s, int64_t offset)
{
    BdrvChild source = { .bs = s->bs };
    uint8_t buf[BDRV_SECTOR_SIZE];
    int ret;

    bdrv_graph_co_rdlock();
    ret = bdrv_pread(&source, offset, sizeof(buf), buf); /* expect: warning mixed-call: bdrv_co_pread */
    if (ret == 0) {
        ret = bdrv_co_pwrite(&s->target, offset, sizeof(buf), buf); /* near miss: the target itself */
    }
    bdrv_graph_co_rdunlock();
    return ret;
}

static int coroutine_fn commit_run(Job *job)
{
    CommitJob *s = (CommitJob *)job;

    job->total = bdrv_co_getlength(s->bs); /* near miss: the target itself */
    while (job->done < job->total && !job_is_cancelled(job)) { /* near miss: the suspect mark is in job.h */
        if (commit_copy_chunk(s, job->done) < 0) {
            return -1;
        }
        job->done += BDRV_SECTOR_SIZE;
        job_pause_point(job); /* near miss: marked */
    }

    bdrv_graph_wrlock(); /* expect: error blocking-call: bdrv_graph_wrlock */
    bdrv_append(s->bs, s->target.bs);
    bdrv_graph_wrunlock(); /* near miss: no coroutine comes back from taking the lock */

    bdrv_graph_rdlock_main_loop(); /* near miss: the same */
    job->ret = bdrv_count_children(s->target.bs);
    bdrv_graph_rdunlock_main_loop(); /* near miss: dropping it asserts nothing */

    return bdrv_flush(s->target.bs); /* near miss: the same */
}

/* The same end, done right. */
static int coroutine_fn commit_finish_right(CommitJob *s)
{
    int ret = bdrv_co_append(s->bs, s->target.bs); /* near miss: a wrapper made for coroutines */

    if (ret == 0) {
        ret = bdrv_co_count_children(s->target.bs); /* near miss: likewise */
    }
    bdrv_graph_co_rdlock();
    ret |= bdrv_co_flush(s->target.bs);
    bdrv_graph_co_rdunlock();
    return ret;
}

static int coroutine_fn commit_run_right(Job *job)
{
    return commit_finish_right((CommitJob *)job);
}

static void commit_abort(Job *job)
{
    CommitJob *s = (CommitJob *)job;

    if (job_is_cancelled(job)) { /* near miss: the suspect mark is in job.h */
        s->common.done = 0;
    }
}

static const JobDriver commit_job_driver = {
    .name = "commit",
    .run = commit_run, /* near miss: function and slot bear the same mark */
    .abort = commit_abort,
};

static const JobDriver commit_job_driver_right = {
    .name = "commit-right",
    .run = commit_run_right,
    .abort = commit_abort,
};

Job *commit_job_create(void *bs, void *parent)
{
    CommitJob *s = calloc(1, sizeof(*s));

    if (!s) {
        abort();
    }
    s->common.driver = parent ? &commit_job_driver : &commit_job_driver_right;
    s->bs = bs;
    s->target.bs = parent;
    return &s->common;
}
