/* The second unit to include queue.h: its finding is not counted again. */
#include "queue.h"

int consume(void)
{
    return queue_wait() + queue_size(); /* near miss: the root cause is in the header */
}

int no_coroutine_fn consume_outside(void)
{
    return queue_co_wait(); /* expect: error coroutine-call: queue_co_wait */
}
