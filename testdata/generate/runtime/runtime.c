#include "qemu/osdep.h"
#include "block/graph-lock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK (256 * 1024)

struct Coroutine {
    ucontext_t own, caller_context;
    Coroutine *caller;
    CoroutineEntry *entry;
    void *opaque;
    AioContext *ctx;
    bool done;
};

typedef struct BottomHalf {
    AioContext *ctx;
    void (*cb)(void *);
    void *opaque;
} BottomHalf;

AioContext main_context = { "main" }, iohandler_context = { "iohandler" };

static AioContext *current = &main_context;
static Coroutine *running;
static BottomHalf pending[16];
static int pending_count;
static char events[4096];
static int failures;

/* Coroutines. */

static void start(void)
{
    running->entry(running->opaque);
    running->done = true;
    swapcontext(&running->own, &running->caller_context);
}

bool qemu_in_coroutine(void)
{
    return running != NULL;
}

Coroutine *qemu_coroutine_self(void)
{
    return running;
}

Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque)
{
    Coroutine *co = calloc(1, sizeof(*co));

    co->entry = entry;
    co->opaque = opaque;
    getcontext(&co->own);
    co->own.uc_stack.ss_sp = malloc(STACK);
    co->own.uc_stack.ss_size = STACK;
    makecontext(&co->own, start, 0);
    return co;
}

static void enter(AioContext *ctx, Coroutine *co)
{
    AioContext *before = current;

    co->caller = running;
    co->ctx = ctx;
    running = co;
    current = ctx;
    swapcontext(&co->caller_context, &co->own);
    running = co->caller;
    current = before;
    if (co->done) {
        free(co->own.uc_stack.ss_sp);
        free(co);
    }
}

void coroutine_fn qemu_coroutine_yield(void)
{
    Coroutine *co = running;

    swapcontext(&co->own, &co->caller_context);
}

/* Contexts. */

AioContext *qemu_get_aio_context(void)
{
    return &main_context;
}

AioContext *qemu_get_current_aio_context(void)
{
    return current;
}

AioContext *iohandler_get_aio_context(void)
{
    return &iohandler_context;
}

AioContext *bdrv_get_aio_context(BlockDriverState *bs)
{
    return bs->ctx;
}

BlockDriverState *blk_bs(BlockBackend *blk)
{
    return blk->bs;
}

AioContext *blk_get_aio_context(BlockBackend *blk)
{
    return blk->bs->ctx;
}

void aio_co_enter(AioContext *ctx, Coroutine *co)
{
    note("enter:%s", ctx->name);
    enter(ctx, co);
}

void bdrv_coroutine_enter(BlockDriverState *bs, Coroutine *co)
{
    aio_co_enter(bs->ctx, co);
}

void aio_co_wake(Coroutine *co)
{
    note("wake");
    enter(co->ctx, co);
}

void aio_wait_kick(void)
{
    note("kick");
}

void aio_bh_schedule_oneshot(AioContext *ctx, void (*cb)(void *), void *opaque)
{
    note("bh:%s", ctx->name);
    pending[pending_count++] = (BottomHalf) { ctx, cb, opaque };
}

void run_bottom_half(void)
{
    AioContext *before = current;
    Coroutine *coroutine = running;
    BottomHalf bh;

    if (pending_count == 0) {
        printf("a coroutine waits, and nothing will wake it; the log is: %s\n", events);
        exit(1);
    }
    bh = pending[0];
    memmove(pending, pending + 1, --pending_count * sizeof(*pending));
    current = bh.ctx;
    running = NULL;
    bh.cb(bh.opaque);
    running = coroutine;
    current = before;
}

/* Locks. */

void coroutine_fn bdrv_graph_co_rdlock(void)
{
    note("co_rdlock");
}

void coroutine_fn bdrv_graph_co_rdunlock(void)
{
    note("co_rdunlock");
}

void bdrv_graph_rdlock_main_loop(void)
{
    note("rdlock");
}

void bdrv_graph_rdunlock_main_loop(void)
{
    note("rdunlock");
}

void bdrv_graph_wrlock(WRLOCK_PARAMETER)
{
    note("wrlock");
}

void bdrv_graph_wrunlock(WRUNLOCK_PARAMETER)
{
    note("wrunlock");
}

void assume_graph_lock(void)
{
    note("assume");
}

void aio_context_acquire(AioContext *ctx)
{
    note("acquire:%s", ctx->name);
}

void aio_context_release(AioContext *ctx)
{
    note("release:%s", ctx->name);
}

/* The test's side. */

static void wake_up(void *opaque)
{
    aio_co_wake(opaque);
}

void coroutine_fn suspend_once(void)
{
    aio_bh_schedule_oneshot(current, wake_up, running);
    qemu_coroutine_yield();
}

void note(const char *format, ...)
{
    size_t length = strlen(events);
    va_list ap;

    if (length > 0) {
        events[length++] = ' ';
    }
    va_start(ap, format);
    vsnprintf(events + length, sizeof(events) - length, format, ap);
    va_end(ap);
}

const char *where(void)
{
    static char text[64];

    snprintf(text, sizeof(text), "%s:%s", running ? "co" : "plain", current->name);
    return text;
}

void expect_log(const char *test, const char *expected)
{
    if (strcmp(events, expected) != 0) {
        printf("%s:\n  expected %s\n  but had  %s\n", test, expected, events);
        failures++;
    }
    events[0] = '\0';
}

void expect(const char *test, bool condition)
{
    if (!condition) {
        printf("%s: not as expected\n", test);
        failures++;
    }
}

static void coroutine_fn run_test(void *opaque)
{
    (*(void (**)(void))opaque)();
}

void in_coroutine(AioContext *ctx, void (*test)(void))
{
    Coroutine *co = qemu_coroutine_create(run_test, &test);

    enter(ctx, co);
    while (pending_count > 0) {
        run_bottom_half();
    }
}

void in_context(AioContext *ctx, void (*test)(void))
{
    AioContext *before = current;

    current = ctx;
    test();
    current = before;
}

int verdict(void)
{
    return failures != 0;
}
