/* goto, forward past the call and backward to it. */
#include "co.h"

int goto_out(void)
{
    int r = -1;

    if (!qemu_in_coroutine()) {
        goto out;
    }
    r = co_leaf(); /* near miss: the others jumped past it */
out:
    return r;
}

int goto_out_to_the_call_hit(void)
{
    if (!qemu_in_coroutine()) {
        goto out;
    }
    plain_leaf();
out:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int goto_when_inside_hit(void)
{
    int r = -1;

    if (qemu_in_coroutine()) {
        goto out;
    }
    r = co_leaf(); /* expect: error coroutine-call: co_leaf */
out:
    return r;
}

int label_for_coroutines(void)
{
    if (qemu_in_coroutine()) {
        goto inside;
    }
    return plain_leaf();
inside:
    return co_leaf(); /* near miss: only coroutines jump here */
}

int label_for_the_others_hit(void)
{
    if (!qemu_in_coroutine()) {
        goto outside;
    }
    return plain_leaf();
outside:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int backward_retry(void)
{
    int r;

    if (!qemu_in_coroutine()) {
        return -1;
    }
retry:
    r = co_leaf(); /* near miss: whoever jumps back is a coroutine too */
    if (r) {
        goto retry;
    }
    return r;
}

int backward_from_outside_hit(void)
{
    if (!qemu_in_coroutine()) {
        goto fallback;
    }
again:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
fallback:
    plain_leaf();
    goto again;
}

int backward_until_inside(void)
{
retry:
    plain_leaf();
    if (!qemu_in_coroutine()) {
        goto retry;
    }
    return co_leaf(); /* near miss: a loop made by hand */
}

int backward_to_the_call_hit(void)
{
retry:
    co_leaf(); /* expect: error coroutine-call: co_leaf */
    if (!qemu_in_coroutine()) {
        goto retry;
    }
    return 0;
}

int into_a_guarded_block_hit(int x)
{
    if (x) {
        goto inside;
    }
    if (qemu_in_coroutine()) {
inside:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int out_of_two_loops(int x)
{
    while (x) {
        for (;;) {
            if (!qemu_in_coroutine()) {
                goto out;
            }
            x = co_leaf(); /* near miss: the others left both loops */
            if (!x) {
                break;
            }
        }
    }
out:
    return 0;
}
