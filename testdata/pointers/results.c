/* What a function returns is a slot: the mark of the type that the result points to is its mark. */
#include "co.h"

typedef int coroutine_fn CoHandler(int sector);
typedef int coroutine_fn (*CoHandlerPointer)(int sector);
typedef int Handler(int sector);

static int blocks(int sector)
{
    return block_leaf();
}

/* With the mark in the result's typedef. */
CoHandler *get(void)
{
    return dev_co_read; /* near miss: the typedef says so */
}

CoHandlerPointer get_pointer(void)
{
    return &dev_co_read; /* near miss: likewise */
}

typedef CoHandler *Getter(void);
Getter get_by_typedef;
struct source { CoHandler *(*get)(void); Getter *get_by_typedef; Handler *(*get_plain)(void); };

int no_coroutine_fn calls_result(void)
{
    return get()(2); /* expect: error coroutine-call: result of `get` */
}

int no_coroutine_fn calls_result_pointer(void)
{
    return (*get_pointer())(2); /* expect: error coroutine-call: result of `get_pointer` */
}

int no_coroutine_fn calls_result_of_typedef(void)
{
    return get_by_typedef()(2); /* expect: error coroutine-call: result of `get_by_typedef` */
}

int no_coroutine_fn calls_result_of_slot(const struct source *s)
{
    return s->get()(2); /* expect: error coroutine-call */
}

int no_coroutine_fn calls_result_of_slot_by_typedef(const struct source *s)
{
    return s->get_by_typedef()(2); /* expect: error coroutine-call */
}

int coroutine_fn calls_result_inside(const struct source *s)
{
    return get()(2) + get_pointer()(2) + s->get()(2) + s->get_by_typedef()(2); /* near miss */
}

int no_coroutine_fn keeps_result(void)
{
    CoHandler *kept = get(); /* near miss: marked as well */

    return kept(2); /* expect: error coroutine-call: kept */
}

int no_coroutine_fn keeps_result_unmarked(void)
{
    Handler *kept = get(); /* expect: error pointer-loses-mark: kept */

    return kept(2);
}

/* Without. */
Handler *get_plain(void)
{
    return dev_co_read; /* expect: error pointer-loses-mark: result of `get_plain` */
}

int (*get_raw(void))(int sector)
{
    return dev_co_read; /* expect: error pointer-loses-mark: result of `get_raw` */
}

/* What results hold is called. */
static Handler *pick(int way)
{
    return way ? blocks : NULL;
}

static int (*pick_raw(int way))(int sector)
{
    Handler *picked = pick(way);
    return picked;
}

struct picker { Handler *(*pick)(int way); };
static const struct picker picker = { pick };

int coroutine_fn calls_picked(void)
{
    return pick(1)(2); /* expect: warning blocking-call: blocks */
}

int coroutine_fn calls_picked_raw(void)
{
    return pick_raw(1)(2); /* expect: warning blocking-call: blocks */
}

int coroutine_fn calls_picked_by_slot(const struct picker *p)
{
    return p->pick(1)(2); /* expect: warning blocking-call: blocks */
}
