/* A coroutine function that another thread runs is not in a coroutine there. */
#include "co.h"

typedef struct ThreadPool ThreadPool;
typedef int ThreadPoolFunc(void *opaque);

int coroutine_fn thread_pool_submit_co(ThreadPool *pool, ThreadPoolFunc *func, void *arg);

static int coroutine_fn read_co(void *opaque)
{
    return co_leaf();
}

static int no_coroutine_fn read_outside(void *opaque)
{
    return block_leaf(); /* near miss: this is outside */
}

static int coroutine_mixed_fn read_anywhere(void *opaque)
{
    return mixed_leaf();
}

int coroutine_fn submits(void);
int coroutine_fn submits(void)
{
    int r = thread_pool_submit_co(NULL, read_co, NULL); /* expect: error pointer-loses-mark: `coroutine_fn` `read_co` passed to parameter 2 of `thread_pool_submit_co`, which runs it in another thread */

    r += thread_pool_submit_co(NULL, read_co, NULL); /* expect: error pointer-loses-mark */
    r += thread_pool_submit_co(NULL, read_outside, NULL); /* near miss: outside is right */
    r += thread_pool_submit_co(NULL, read_anywhere, NULL); /* near miss: both are right */
    return r + thread_pool_submit_co(NULL, NULL, read_co); /* expect: error pointer-loses-mark: stored in unmarked parameter 3 of `thread_pool_submit_co` */
}
