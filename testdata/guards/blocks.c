/* Jumps in block literals. */
/* flags: -fblocks */
#include "co.h"

int no_coroutine_fn asm_in_a_block(int x)
{
    int (^run)(void) = ^{
        if (x) {
            goto used;
        }
        asm volatile("" : : : "memory");
        return 0;
    used:
        return 1;
    unused:
        return co_leaf(); /* near miss: nothing jumps here */
        goto unused;
    };
    return run();
}

int no_coroutine_fn asm_goto_in_a_block_hit(void)
{
    int (^run)(void) = ^{
        asm goto("" : : : : out);
        return 0;
    out:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    };
    return run();
}
