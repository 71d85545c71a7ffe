/* What blocks, blocks through a pointer as well; how sure that is depends on how many functions it may hold. */
#include "co.h"

static int blocks(void)
{
    return block_leaf();
}

static int harmless(void)
{
    return 0;
}

struct Ops {
    int (*flush)(void);
    int (*close)(void);
    int (*reset)(void) no_coroutine_fn;
    struct {
        int (*inner)(void);
    };
};

static const struct Ops ops = {
    .flush = blocks,
    .close = harmless,
    .reset = blocks,
    .inner = blocks,
};

int coroutine_fn through_a_field(const struct Ops *o)
{
    return o->flush(); /* expect: warning blocking-call: the only candidate */
}

int coroutine_fn through_an_anonymous_record(const struct Ops *o)
{
    return o->inner(); /* expect: warning blocking-call: which may be `blocks` */
}

int coroutine_fn through_another_field(const struct Ops *o)
{
    return o->close(); /* near miss: what it holds does not block */
}

int no_coroutine_fn outside(const struct Ops *o)
{
    return o->flush() + o->reset(); /* near miss: outside it may block */
}

/* From slot to slot: a parameter, a global variable, a local one, a table, a result. */
static int (*handler)(void);
static int (*other_handler)(void);
static int (*table[2])(void) = { harmless, blocks };

void set_handler(int (*new_handler)(void))
{
    handler = new_handler;
}

void set_up(void)
{
    set_handler(blocks);
    other_handler = harmless;
}

static int (*get_handler(void))(void)
{
    return handler;
}

int coroutine_fn through_a_global(void)
{
    return handler(); /* expect: warning blocking-call: calls through `handler` */
}

int coroutine_fn through_another_global(void)
{
    return other_handler(); /* near miss */
}

int coroutine_fn through_a_local(void)
{
    int (*local)(void) = handler;
    return local(); /* expect: warning blocking-call: calls through `local` */
}

int coroutine_fn through_a_table(int n)
{
    return table[n](); /* expect: warning blocking-call: one of 2 candidates */
}

int coroutine_fn through_a_result(void)
{
    return get_handler()(); /* expect: warning blocking-call: result of `get_handler` */
}

/* Both arms of a conditional callee are called, by name. */
int coroutine_fn through_a_choice(int n)
{
    return (n ? harmless : blocks)(); /* expect: error blocking-call: calls `blocks` */
}

int coroutine_fn through_a_harmless_choice(int n)
{
    return (n ? harmless : co_leaf)(); /* near miss */
}
