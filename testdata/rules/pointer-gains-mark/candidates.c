/* What comes out of an unmarked slot into one that is called in coroutines. */
#include "co.h"

typedef int work(void);
typedef int coroutine_fn co_work(void);

struct driver {
    co_work *co_read;
    co_work *co_write;
    co_work *co_flush;
    co_work *co_trim;
    co_work *co_plain;
    co_work *co_marked;
    co_work *co_through;
    work *unmarked;
};

static int no_coroutine_fn blocks(void)
{
    return block_leaf();
}

static int calls_blocking(void)
{
    return block_leaf(); /* expect: error blocking-call: stored in a coroutine-only slot */
}

static int plain(void)
{
    return plain_leaf();
}

static int coroutine_fn reads(void)
{
    return co_leaf();
}

static work *only = blocks;
static work *either = blocks;
static work *harmless = plain;

void from_variables(struct driver *d, bool is_plain)
{
    if (is_plain) {
        either = plain;
    }
    d->co_read = only; /* expect: error pointer-gains-mark: `no_coroutine_fn` `blocks` out of `only` stored in `driver::co_read` */
    d->co_write = either; /* expect: warning pointer-gains-mark: `blocks` out of `either` */
    d->co_plain = harmless; /* near miss: nothing is known of what it holds */
    d->unmarked = only; /* near miss: the slot says nothing */
}

static void sets(struct driver *d, work *given)
{
    d->co_flush = given; /* expect: error pointer-gains-mark: `blocks` out of parameter 2 of `sets` */
}

static work *chosen(void)
{
    return blocks;
}

void from_parameters_and_results(struct driver *d)
{
    sets(d, blocks);
    d->co_trim = chosen(); /* expect: error pointer-gains-mark: `blocks` out of result of `chosen` */
    d->co_trim = only; /* a note of the finding above */
}

/* A lost mark is reported where it was lost. */
static work *lost = reads; /* expect: error pointer-loses-mark: `reads` */

void marked_again(struct driver *d)
{
    d->co_marked = lost;
}

/* What is called in coroutines alone may not block, whichever way it came into the slot. */
static void sets_through(struct driver *d, work *given)
{
    d->co_through = given;
}

void fills(struct driver *d)
{
    sets_through(d, calls_blocking);
}

int coroutine_fn calls(struct driver *d)
{
    return d->co_through();
}
