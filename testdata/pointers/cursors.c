/* Pointers to slots: cursors over tables and records, out-parameters, pointers to pointers. */
#include "co.h"

typedef void work(void);

static void blocks(void)
{
    block_leaf();
}

static void harmless(void)
{
    plain_leaf();
}

static work *const list[] = { harmless, blocks, NULL };
static work *const calm_list[] = { harmless, NULL };

void coroutine_fn over_a_table(void)
{
    for (work *const *p = list; *p; p++) {
        (*p)(); /* expect: warning blocking-call: candidates */
    }
}

void coroutine_fn over_a_calm_table(void)
{
    for (work *const *p = calm_list; *p; ++p) {
        (**p)(); /* near miss */
    }
}

void coroutine_fn from_the_end(void)
{
    work *const *p = &list[2];

    while (p-- > list) {
        p[0](); /* expect: warning blocking-call: candidates */
    }
}

void coroutine_fn by_sum(int i)
{
    (*(list + i))(); /* expect: warning blocking-call: candidates */
}

struct entry { const char *name; work *run, *stop; };
static const struct entry entries[] = { { "a", blocks, harmless }, { NULL, NULL, NULL } };

void coroutine_fn over_records(void)
{
    for (const struct entry *e = entries; e->name; e++) {
        e->run(); /* expect: warning blocking-call: blocks */
        e->stop(); /* near miss */
    }
}

static void choose(work **out, int way)
{
    *out = way ? blocks : harmless;
}

static void choose_calm(work **out)
{
    *out = harmless;
}

static void choose_deeper(work **out)
{
    choose(out, 1);
}

void coroutine_fn out_parameter(void)
{
    work *f = harmless;

    choose(&f, 1);
    f(); /* expect: warning blocking-call: candidates */
}

void coroutine_fn out_parameter_calm(void)
{
    work *f = NULL;

    choose_calm(&f);
    f(); /* near miss */
}

void coroutine_fn out_parameter_of_two(void)
{
    work *f;

    choose_deeper(&f);
    f(); /* expect: warning blocking-call: candidates */
}

struct holder { work *a, *b; };

static void set_member(struct holder *h)
{
    work **slot = &h->a;

    *slot = blocks;
}

void coroutine_fn through_member(struct holder *h)
{
    set_member(h);
    h->b(); /* near miss */
    h->a(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn twice_removed(void)
{
    work *f = harmless, **p = &f, ***q = &p;

    **q = blocks;
    f(); /* expect: warning blocking-call: candidates */
}

/* The out-parameter is passed through a pointer to a function. */
struct chooser { void (*pick)(work **out); };
static const struct chooser chooser = { .pick = choose_deeper };

void coroutine_fn picked(const struct chooser *c)
{
    work *f = NULL;

    c->pick(&f);
    f(); /* expect: warning blocking-call: candidates */
}

/* One of two slots. */
static work *left = harmless, *right = harmless;

void set_one(int way)
{
    *(way ? &left : &right) = blocks;
}

void coroutine_fn use_right(void)
{
    right(); /* expect: warning blocking-call: candidates */
}

/* A slot that nobody writes through a pointer keeps what it has. */
static work *alone = harmless;
static work **to_left = &left;

void coroutine_fn use_alone(void)
{
    *to_left = harmless;
    alone(); /* near miss */
}
