/* A doubtful mark explains its callers without marks, and nothing else. */
#include "co.h"

int half_marked(int x);

int coroutine_fn half_marked(int x) /* expect: warning suspect-mark: half_marked */
{
    qemu_coroutine_yield();
    return x;
}

int plain_one(void) { return half_marked(1); }
int plain_two(void) { return half_marked(2); }
int plain_three(void) { return half_marked(3); }
int plain_four(void) { return half_marked(4); }
int plain_five(void) { return half_marked(5); }

int no_coroutine_fn outside(void)
{
    return half_marked(6); /* expect: error coroutine-call: half_marked */
}

int refined(void)
{
    if (!qemu_in_coroutine()) {
        return half_marked(7); /* expect: error coroutine-call: half_marked */
    }
    return 0;
}
