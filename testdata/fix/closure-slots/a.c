/* What a marked function is stored into must say so, too. */
#include "co.h"

typedef int Step(int n);
typedef struct Ops {
    int (*direct)(int n);
    Step *by_type;
    int (*table[2])(int n);
} Ops;

static int one(int n)
{
    return co_leaf();
}

static int two(int n)
{
    return co_leaf();
}

static int three(int n)
{
    return co_leaf();
}

static int four(int n)
{
    return co_leaf();
}

static Ops ops = {
    .direct = one,
    .by_type = two,
    .table = { three, three },
};

static int coroutine_fn apply(int (*step)(int n))
{
    return step(1);
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return ops.direct(1) + ops.by_type(2) + ops.table[1](3) + apply(four);
}
