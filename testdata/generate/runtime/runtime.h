/*
 * As much of a block layer as generated wrappers need to run: coroutines on
 * ucontext, bottom halves, and locks that only write down that they were
 * called.  For tests alone.
 *
 * What the wrappers cause is written to a log, one word for each event, and
 * the programs compare it with what they expect.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#define coroutine_fn
#define coroutine_mixed_fn
#define no_coroutine_fn
#define GRAPH_RDLOCK
#define GRAPH_WRLOCK

typedef struct AioContext {
    const char *name;
} AioContext;

typedef struct BlockDriverState {
    AioContext *ctx;
} BlockDriverState;

typedef struct BdrvChild {
    BlockDriverState *bs;
} BdrvChild;

typedef struct BlockBackend {
    BlockDriverState *bs;
} BlockBackend;

/* Coroutines. */

typedef struct Coroutine Coroutine;
typedef void coroutine_fn CoroutineEntry(void *opaque);

bool qemu_in_coroutine(void);
Coroutine *qemu_coroutine_self(void);
Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque);
void coroutine_fn qemu_coroutine_yield(void);

/* Contexts. */

extern AioContext main_context, iohandler_context;

AioContext *qemu_get_aio_context(void);
AioContext *qemu_get_current_aio_context(void);
AioContext *iohandler_get_aio_context(void);
AioContext *bdrv_get_aio_context(BlockDriverState *bs);
AioContext *blk_get_aio_context(BlockBackend *blk);
BlockDriverState *blk_bs(BlockBackend *blk);
void bdrv_coroutine_enter(BlockDriverState *bs, Coroutine *co);
void aio_co_enter(AioContext *ctx, Coroutine *co);
void aio_co_wake(Coroutine *co);
void aio_wait_kick(void);
void aio_bh_schedule_oneshot(AioContext *ctx, void (*cb)(void *), void *opaque);

/* Runs one bottom half; there must be one. */
void run_bottom_half(void);

#define AIO_WAIT_WHILE(ctx, cond) do { \
        (void)(ctx);                   \
        while (cond) {                 \
            run_bottom_half();         \
        }                              \
    } while (0)
#define BDRV_POLL_WHILE(bs, cond) AIO_WAIT_WHILE((bs)->ctx, cond)

/* The test's side. */

/* Suspends the coroutine until a bottom half in its context wakes it. */
void coroutine_fn suspend_once(void);

/* Adds an event to the log. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* " in NAME" of the current context, and whether control is in a coroutine. */
const char *where(void);

/* Fails unless the log holds exactly these events; then empties it. */
void expect_log(const char *test, const char *events);

/* Fails unless @condition. */
void expect(const char *test, bool condition);

/* Runs @test in a coroutine in @ctx until it ends. */
void in_coroutine(AioContext *ctx, void (*test)(void));

/* Goes on as if @ctx were the current one. */
void in_context(AioContext *ctx, void (*test)(void));

/* What main() returns. */
int verdict(void);

#endif
