/* Variables that take over the type of something marked, and pointers to tables of it. */
#include "co.h"

typedef int coroutine_fn task(int n);
struct queue {
    task *run;
    task **all;
};
void free(void *memory);

#define READ(place) ({ __typeof__(place) value_ = (place); value_; })

int coroutine_fn reads_inside(struct queue *q)
{
    __auto_type run = READ(q->run); /* near miss: the mark comes along */

    return run(1);
}

int no_coroutine_fn reads_outside(struct queue *q)
{
    __auto_type run = READ(q->run);

    return run(1); /* expect: error coroutine-call: run */
}

int coroutine_fn names_a_function(void)
{
    __typeof__(dev_co_flush) *flush = dev_co_flush; /* near miss: likewise */

    return flush();
}

void gives_back(struct queue *q)
{
    free(q->all); /* near miss: nothing is called through memory */
}
