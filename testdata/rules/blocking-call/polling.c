/* A tree that does not mark the function that runs the event loop: the pack knows what it does. */
#include "co.h"

typedef struct AioContext AioContext;

bool aio_poll(AioContext *ctx, bool blocking);
bool aio_poll_disabled(AioContext *ctx);

#define POLL_WHILE(ctx, condition)              \
    do {                                        \
        while (condition) {                     \
            aio_poll(ctx, true);                \
        }                                       \
    } while (0)

extern int in_flight;

static void drain(void)
{
    POLL_WHILE(NULL, in_flight > 0); /* near miss: who calls it is elsewhere */
}

void coroutine_fn polls(void);
void coroutine_fn polls(void)
{
    POLL_WHILE(NULL, in_flight > 0); /* expect: error blocking-call: non-coroutine-only `aio_poll` called from `coroutine_fn` `polls` */
}

void coroutine_fn closes(void);
void coroutine_fn closes(void)
{
    drain(); /* expect: error blocking-call: leads to non-coroutine-only `aio_poll` */
}

void coroutine_mixed_fn in_both(void);
void coroutine_mixed_fn in_both(void)
{
    POLL_WHILE(NULL, in_flight > 0); /* expect: warning blocking-call: without a guard from `coroutine_mixed_fn` `in_both` */
}

static void guarded(void)
{
    if (!qemu_in_coroutine()) {
        drain(); /* near miss: guarded */
    }
}

void coroutine_fn asks(void);
void coroutine_fn asks(void)
{
    guarded();
    aio_poll_disabled(NULL); /* near miss: this is another function */
}

void main_loop_wait(int nonblocking);

void plain(void);
void plain(void)
{
    main_loop_wait(0); /* near miss: nobody says that this is a coroutine */
    drain();
}
