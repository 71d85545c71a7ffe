/* Functions that are passed on: through two levels, to callbacks of callbacks, as parameters that are functions. */
#include "co.h"

typedef int work(int n);
typedef int taker(work *given, int n);

static int blocks(int n)
{
    return block_leaf();
}

static int harmless(int n)
{
    return n;
}

/* A parameter of function type is a pointer. */
static int calls_function(work given, int n)
{
    return given(n);
}

static int calls_declared(int given(int n), int n)
{
    return (*given)(n);
}

static int passes_on(int n, work *given)
{
    work *const kept = given;

    return calls_function(kept, n) + calls_declared(*kept, n);
}

int coroutine_fn function_parameter(int n)
{
    return calls_function(blocks, n); /* expect: error blocking-call: blocks */
}

int coroutine_fn declared_parameter(int n)
{
    return calls_declared(blocks, n); /* expect: error blocking-call: blocks */
}

int coroutine_fn harmless_parameter(int n)
{
    return calls_function(harmless, n) + calls_declared(&harmless, n) + passes_on(n, harmless); /* near miss */
}

int coroutine_fn two_levels(int n)
{
    return passes_on(n, blocks); /* expect: error blocking-call: blocks */
}

/* The callback's own parameter. */
static int relay(taker *take, work *given, int n)
{
    return take(given, n);
}

static int run_it(work *given, int n)
{
    return given(n);
}

static int ignore_it(work *given, int n)
{
    return n;
}

static int relay_blocking(int n)
{
    return relay(run_it, blocks, n);
}

int coroutine_fn relayed(int n)
{
    return relay_blocking(n); /* expect: warning blocking-call: blocks */
}

int coroutine_fn relays(int n)
{
    return relay(run_it, blocks, n); /* expect: warning blocking-call: blocks */
}

struct dispatch { taker *take; work *given; };
static const struct dispatch dispatch = { run_it, blocks };
static const struct dispatch calm = { ignore_it, harmless };

int coroutine_fn dispatched(const struct dispatch *d)
{
    return d->take(d->given, 1); /* expect: warning blocking-call: blocks */
}

/* Which callee, and which callback, is decided late. */
int coroutine_fn conditional_callee(int n)
{
    return (n ? run_it : ignore_it)(blocks, n); /* expect: error blocking-call: blocks */
}

int coroutine_fn conditional_callback(int n)
{
    return run_it(n ? harmless : blocks, n); /* expect: error blocking-call: blocks */
}

static work *const tables[][2] = { { harmless, harmless }, { harmless, blocks } };

int coroutine_fn conditional_table(int n)
{
    work *const *table = n ? tables[0] : tables[1];

    return table[n](n); /* expect: warning blocking-call: candidates */
}
