/*
 * Jobs in general.  Teaches the explicit way into a coroutine,
 * qemu_coroutine_create(), and the helper whose wrong mark would drown the
 * right findings if each of its callers were reported.
 */
#include "qemu/osdep.h"
#include "qemu/job.h"

static void job_exit(void *opaque)
{
    Job *job = opaque;

    if (job->ret < 0 && job->driver->abort) {
        job->driver->abort(job);
    }
    job->finished = true;
}

static void coroutine_fn job_co_entry(void *opaque)
{
    Job *job = opaque;

    job->ret = job->driver->run(job); /* near miss: slot and caller are both inside */
    aio_bh_schedule_oneshot(qemu_get_aio_context(), job_exit, job);
}

void job_start(Job *job)
{
    job->co = qemu_coroutine_create(job_co_entry, job); /* near miss: entry and slot bear the mark */
    qemu_coroutine_enter(job->co);
}

void coroutine_fn job_pause_point(Job *job)
{
    while (job->pause && !job_is_cancelled(job)) {
        aio_co_schedule(qemu_get_aio_context(), qemu_coroutine_self());
        qemu_coroutine_yield(); /* near miss: marked */
    }
}

void job_cancel(Job *job)
{
    if (!job_is_cancelled(job)) { /* near miss: the suspect mark is in job.h */
        job->cancelled = true;
    }
}

int64_t job_remaining(const Job *job)
{
    return job_is_cancelled(job) ? 0 : job->total - job->done; /* near miss: likewise */
}

const char *job_status(const Job *job)
{
    if (job_is_finished(job)) { /* near miss: no mark */
        return "finished";
    }
    return job_is_cancelled(job) ? "cancelled" : "running"; /* near miss: likewise */
}

int no_coroutine_fn job_finish_sync(Job *job)
{
    job->pause = false;
    job_pause_point(job); /* expect: error coroutine-call: job_pause_point */
    AIO_WAIT_WHILE(qemu_get_aio_context(), !job_is_finished(job)); /* near miss: polling is for the outside */
    return job->ret;
}

/*
 * A job that was written in a hurry: what each of its pointers promises is
 * not what it holds.
 */

static int no_coroutine_fn hasty_run(Job *job)
{
    return job_finish_sync(job); /* near miss: outside, says the mark */
}

static void coroutine_fn hasty_abort(Job *job)
{
    job_pause_point(job); /* near miss: inside, says the mark */
}

static const JobDriver hasty_driver = {
    .name = "hasty",
    .run = hasty_run, /* expect: error pointer-gains-mark: `JobDriver::run`, which is called in coroutine context */
    .abort = hasty_abort, /* expect: error pointer-loses-mark: stored in unmarked `JobDriver::abort` */
};

static void hasty_entry(void *opaque)
{
    Job *job = opaque;

    job->finished = true;
}

void job_start_hasty(Job *job)
{
    job->driver = &hasty_driver;
    qemu_coroutine_enter(qemu_coroutine_create(hasty_entry, job)); /* expect: warning unmarked-entry: `hasty_entry` */
}
