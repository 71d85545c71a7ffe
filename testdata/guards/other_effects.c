/* The same guards before a blocking call and before a mixed wrapper. */
#include "co.h"

int coroutine_mixed_fn blocks_unguarded(void)
{
    return block_leaf(); /* expect: warning blocking-call: block_leaf */
}

int coroutine_mixed_fn blocks_outside(void)
{
    if (!qemu_in_coroutine()) {
        return block_leaf(); /* near miss: outside it may block */
    }
    return co_leaf(); /* near miss: and this is the inside */
}

int coroutine_mixed_fn blocks_inside(void)
{
    if (qemu_in_coroutine()) {
        return block_leaf(); /* expect: error blocking-call: block_leaf */
    }
    return 0;
}

int unmarked_blocks_inside(void)
{
    if (qemu_in_coroutine()) {
        return block_leaf(); /* expect: error blocking-call: block_leaf */
    }
    return block_leaf(); /* near miss: outside it may block */
}

int unmarked_blocks(void)
{
    return block_leaf(); /* near miss: the function is merely known to block now */
}

int coroutine_fn marked_but_guarded(void)
{
    if (!qemu_in_coroutine()) {
        return block_leaf(); /* near miss: a coroutine never comes here */
    }
    return 0;
}

int coroutine_mixed_fn mixed_unguarded(void)
{
    return dev_read(1); /* near miss: that is what the wrapper is for */
}

int coroutine_mixed_fn mixed_inside(void)
{
    if (qemu_in_coroutine()) {
        return dev_read(1); /* expect: warning mixed-call: dev_co_read */
    }
    return dev_read(2); /* near miss: outside only the wrapper will do */
}

int unmarked_mixed_inside(int x)
{
    if (x || !qemu_in_coroutine()) {
        return dev_read(1); /* near miss: it may be either side */
    }
    return dev_read(2); /* expect: warning mixed-call: dev_co_read */
}

int asserted_mixed(int x)
{
    if (x) {
        assert(qemu_in_coroutine());
        return dev_read(1); /* expect: warning mixed-call: dev_co_read */
    }
    return 0;
}
