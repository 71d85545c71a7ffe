/* flags: -fblocks */
/* A block is a body of its own: what it calls, it calls where it runs. */
#include "co.h"

void run_later(void (^work)(void));

static int run_now(int (^work)(int n))
{
    return work(1);
}

int no_coroutine_fn after_a_block(void)
{
    run_later(^{ return; });
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn after_a_block_that_never_ends(void)
{
    run_later(^{ for (;;) { plain_leaf(); } });
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int coroutine_fn guarded_in_a_block(void)
{
    run_later(^{
        if (!qemu_in_coroutine()) {
            return;
        }
        co_leaf(); /* near miss: guarded in the block */
    });
    return co_leaf(); /* near miss */
}

int coroutine_fn blocks_in_a_block(void)
{
    return run_now(^(int n) { return n + block_leaf(); }); /* expect: error blocking-call: block_leaf */
}

int coroutine_fn stores_a_block(void)
{
    int (^work)(int) = ^(int n) { return block_leaf(); };

    return work(1); /* expect: warning blocking-call: block_leaf */
}

int coroutine_fn stores_a_harmless_block(void)
{
    int (^work)(int) = ^(int n) { return plain_leaf(); };

    return work(1) + run_now(^(int n) { return n; }); /* near miss */
}

typedef int (^block)(int);

static block make(int n)
{
    return ^(int m) { return block_leaf() + m; };
}

int coroutine_fn returned_block(void)
{
    return make(1)(2); /* expect: warning blocking-call: block_leaf */
}

int no_coroutine_fn outside(void)
{
    return run_now(^(int n) { return block_leaf(); }); /* near miss: outside it may block */
}
