/* A mark is lost, or gained, where a value is copied to a slot that says something else. */
#include <string.h>
#include "co.h"

typedef int handler(int sector);

struct driver {
    int coroutine_fn (*co_read)(int sector);
    int coroutine_fn (*co_other)(int sector);
    int no_coroutine_fn (*outside)(int sector);
    int coroutine_mixed_fn (*either)(int sector);
    handler *plain, *plain_again;
    handler *by_member, *by_choice, *by_default, *by_comma, *by_statement, *by_chain, *by_bytes, *by_cast, *by_atomic;
    handler *by_argument, *by_result, *by_local;
};

int coroutine_fn co_work(int sector)
{
    return sector;
}

int no_coroutine_fn outside_work(int sector)
{
    return sector;
}

static int plain_work(int sector)
{
    return sector;
}

struct driver filled = { .co_read = co_work, .outside = outside_work, .plain = plain_work };

void same(struct driver *d, struct driver *other)
{
    d->co_other = d->co_read; /* near miss: both are marked */
    d->plain_again = d->plain; /* near miss: none is */
    *d = *other; /* near miss: each member goes to itself */
    memcpy(d, other, sizeof *d); /* near miss: likewise */
    d->plain = d->co_read == d->co_other ? plain_work : NULL; /* near miss: they are compared */
}

void loses(struct driver *d, int way)
{
    d->by_member = d->co_read; /* expect: error pointer-loses-mark: driver::by_member */
    d->by_choice = way ? d->plain : d->co_read; /* expect: error pointer-loses-mark: driver::by_choice */
    d->by_default = d->co_read ?: d->plain; /* expect: error pointer-loses-mark: driver::by_default */
    d->by_comma = (way++, d->co_read); /* expect: error pointer-loses-mark: driver::by_comma */
    d->by_statement = ({ way++; d->co_read; }); /* expect: error pointer-loses-mark: driver::by_statement */
    d->by_chain = d->co_other = co_work; /* expect: error pointer-loses-mark: driver::by_chain */
    memcpy(&d->by_bytes, &d->co_read, sizeof d->by_bytes); /* expect: error pointer-loses-mark: driver::by_bytes */
    d->by_cast = *(handler **)&d->co_read; /* expect: error pointer-loses-mark: driver::by_cast */
    __atomic_store_n(&d->by_atomic, d->co_read, 0); /* expect: error pointer-loses-mark: driver::by_atomic */
    d->either = d->co_read; /* expect: error pointer-loses-mark: driver::either */
    d->outside = d->co_read; /* expect: error pointer-loses-mark: driver::outside */
}

void gains(struct driver *d)
{
    d->co_other = d->outside; /* expect: error pointer-gains-mark: driver::co_other */
    d->either = d->outside; /* expect: warning pointer-gains-mark: driver::either */
    d->plain = d->outside; /* near miss: the slot says nothing */
}

static int calls(handler *given)
{
    return given(1);
}

static int coroutine_fn calls_co(int coroutine_fn (*given)(int))
{
    return given(1);
}

int no_coroutine_fn passes(struct driver *d)
{
    return calls(d->co_read); /* expect: error pointer-loses-mark: parameter 1 of `calls` */
}

int coroutine_fn passes_to_marked(struct driver *d)
{
    return calls_co(d->co_read); /* near miss: the parameter is marked */
}

static handler *result(struct driver *d)
{
    return d->co_read; /* expect: error pointer-loses-mark: result of `result` */
}

int no_coroutine_fn keeps(struct driver *d)
{
    handler *kept = d->co_read; /* expect: error pointer-loses-mark: kept */

    return kept(1) + (result(d) != NULL);
}

/* `typeof` names the type of a marked member. */
int coroutine_fn keeps_type(struct driver *d)
{
    __typeof__(d->co_read) kept = d->co_read; /* near miss: whoever calls it is in a coroutine */

    return kept(1);
}

/* Out of an unmarked slot comes no mark, whatever was stored there: the store is the finding. */
void from_unmarked(struct driver *d)
{
    d->by_local = d->by_member; /* near miss: lost before */
}

/* A chain of assignments stores in each slot: what is stored runs outside, too. */
struct pair { int (*sync)(void); int coroutine_fn (*co)(void); };

static int in_both(void)
{
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

void set_both(struct pair *p)
{
    p->sync = p->co = in_both;
}

int no_coroutine_fn calls_sync(struct pair *p)
{
    return p->sync();
}

int coroutine_fn calls_co_member(struct pair *p)
{
    return p->co();
}
