/* Computed goto: control may go to any label whose address is taken, and to no other. */
#include "co.h"

int no_coroutine_fn table_hit(unsigned n)
{
    static const void *const labels[] = { &&first, &&second };

    goto *labels[n % 2];
first:
    return block_leaf();
second:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn address_not_taken(void)
{
    const void *where = &&first;

    goto *where;
first:
    return block_leaf();
other:
    return co_leaf(); /* near miss: nothing jumps here */
    goto other;
}

int address_taken_in_a_guard(void)
{
    const void *where = &&out;

    if (qemu_in_coroutine()) {
        where = &&inside;
        goto *where;
    }
    return 0;
inside:
    return co_leaf(); /* near miss: only coroutines jump at all */
out:
    return 0;
}

int interpreter_hit(const unsigned char *code)
{
    static const void *const labels[] = { &&step, &&leave };

    goto *labels[*code++];
step:
    co_leaf(); /* expect: error coroutine-call: co_leaf */
    goto *labels[*code++];
leave:
    return 0;
}
