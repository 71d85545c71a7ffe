/* Only coroutines call these: they get the mark, and call the target. */
#include "co.h"
#include "a.h"

static int helper(int n)
{
    return dev_read(n);
}

static int inner(int n)
{
    int r = dev_read(n);

    return r + dev_read(n + 1);
}

static int middle(int n)
{
    return inner(n);
}

int a_load(int n)
{
    return middle(n);
}

/* Near misses: the wrapper takes a lock, so the change is not certain to be the same; and nobody knows the callers. */
static int locks(int n)
{
    return dev_write(n);
}

int anybody(int n);
int anybody(int n)
{
    return dev_read(n);
}

/* A macro makes the call: neither the mark nor the call. */
#define FETCH(n) dev_read(n)

static int by_a_macro(int n)
{
    return FETCH(n);
}

int coroutine_fn run(int n);
int coroutine_fn run(int n)
{
    return helper(n) + a_load(n) + locks(n) + by_a_macro(n);
}
