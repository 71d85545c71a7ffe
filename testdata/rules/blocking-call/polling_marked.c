/* A mark on the function that runs the event loop counts, whatever the pack says of it. */
#include "co.h"

typedef struct AioContext AioContext;

bool coroutine_mixed_fn aio_poll(AioContext *ctx, bool blocking);
void no_coroutine_fn main_loop_wait(int nonblocking);

void coroutine_fn polls(void);
void coroutine_fn polls(void)
{
    aio_poll(NULL, true); /* near miss: the mark allows it */
    main_loop_wait(0); /* expect: error blocking-call: `no_coroutine_fn` `main_loop_wait` called from `coroutine_fn` `polls` */
}
