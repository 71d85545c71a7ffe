/* Pointers that are read and written by builtins, behind macros as well. */
#include <stdatomic.h>
#include <string.h>
#include "co.h"

static void blocks(void)
{
    block_leaf();
}

static void harmless(void)
{
    plain_leaf();
}

typedef void work(void);

static work *hook = blocks, *calm = harmless;
#define READ_ONCE(p) ({ __typeof__(*(p)) value_ = __atomic_load_n((p), __ATOMIC_RELAXED); value_; })
#define WRITE_ONCE(p, v) do { __typeof__(*(p)) v_ = (v); __atomic_store_n((p), v_, __ATOMIC_RELAXED); } while (0)
#define RUN_HOOK(p) do { work *f_ = READ_ONCE(p); f_(); } while (0)

void coroutine_fn run_hook(void)
{
    RUN_HOOK(&hook); /* expect: warning blocking-call: blocks */
}

void coroutine_fn run_calm(void)
{
    RUN_HOOK(&calm); /* near miss */
}

void coroutine_fn run_at_once(void)
{
    READ_ONCE(&hook)(); /* expect: warning blocking-call: blocks */
}

struct stored { work *a, *b, *c, *d, *e, *f, *g; };

void fill(struct stored *s, work *old)
{
    WRITE_ONCE(&s->a, blocks);
    __atomic_exchange_n(&s->b, blocks, __ATOMIC_SEQ_CST);
    __atomic_compare_exchange_n(&s->c, &old, blocks, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    __sync_bool_compare_and_swap(&s->d, old, blocks);
    work *made = blocks;
    __atomic_store(&s->e, &made, __ATOMIC_SEQ_CST);
    memcpy(&s->f, &made, sizeof s->f);
    WRITE_ONCE(&s->g, harmless);
}

void coroutine_fn use_a(struct stored *s)
{
    s->a(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_b(struct stored *s)
{
    s->b(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_c(struct stored *s)
{
    s->c(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_d(struct stored *s)
{
    s->d(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_e(struct stored *s)
{
    s->e(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_f(struct stored *s)
{
    s->f(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_g(struct stored *s)
{
    s->g(); /* near miss */
}

static _Atomic(work *) shared;
static _Atomic(work *) shared_calm;

void share(void)
{
    atomic_store(&shared, blocks);
    atomic_store_explicit(&shared_calm, harmless, memory_order_release);
}

void coroutine_fn use_shared(void)
{
    work *f = atomic_load_explicit(&shared, memory_order_acquire);

    f(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_shared_calm(void)
{
    atomic_load(&shared_calm)(); /* near miss */
}

/* A builtin, or else a function. */
static work *perhaps = harmless, *never = NULL;

void coroutine_fn or_else(void)
{
    work *f = __atomic_load_n(&perhaps, __ATOMIC_RELAXED) ?: blocks;

    f(); /* expect: warning blocking-call: candidates */
}

void coroutine_fn or_else_harmless(void)
{
    work *f = READ_ONCE(&never) ?: harmless;

    f(); /* near miss */
}

/* What an exchange returns was there before. */
static work *handed = blocks;

void coroutine_fn take_over(void)
{
    work *f = __atomic_exchange_n(&handed, NULL, __ATOMIC_ACQ_REL);

    if (f) {
        f(); /* expect: warning blocking-call: blocks */
    }
}

/* Another type on the way. */
struct cast { work *by_cast; void (*raw)(void); };

void fill_cast(struct cast *c, work **slot)
{
    c->by_cast = (work *)(void *)blocks;
    *(work **)(void *)&c->raw = (work *)(int (*)(int))blocks;
}

void coroutine_fn use_by_cast(struct cast *c)
{
    c->by_cast(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_raw(struct cast *c)
{
    c->raw(); /* expect: warning blocking-call: blocks */
}
