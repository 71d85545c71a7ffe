/* The first unit to include queue.h. */
#include "queue.h"

int produce(void)
{
    return queue_wait() + queue_size(); /* near miss: the root cause is in the header */
}

int coroutine_fn co_produce(void)
{
    return queue_co_wait(); /* near miss: marked */
}
