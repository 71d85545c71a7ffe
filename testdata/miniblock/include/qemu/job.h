/*
 * Jobs: long operations that run in a coroutine of their own, started and
 * ended by the main loop.
 */
#ifndef QEMU_JOB_H
#define QEMU_JOB_H

#include "block/aio.h"

typedef struct Job Job;

typedef struct JobDriver {
    const char *name;
    int coroutine_fn (*run)(Job *job);
    void (*abort)(Job *job);
} JobDriver;

struct Job {
    const JobDriver *driver;
    Coroutine *co;
    int64_t done;
    int64_t total;
    int ret;
    bool cancelled;
    bool finished;
    bool pause;
};

/* Copied from its neighbours with their mark, though it only reads a flag. */
static inline bool coroutine_fn job_is_cancelled(const Job *job)
{ /* expect^: warning suspect-mark: job_is_cancelled */
    return job->cancelled;
}

/* The same without a mark. */
static inline bool job_is_finished(const Job *job)
{
    return job->finished; /* near miss: no mark, no suspicion */
}

void job_start(Job *job);
void job_start_hasty(Job *job);
void job_cancel(Job *job);
int64_t job_remaining(const Job *job);
const char *job_status(const Job *job);
int no_coroutine_fn job_finish_sync(Job *job);
void coroutine_fn job_pause_point(Job *job);

Job *commit_job_create(void *bs, void *parent);

#endif
