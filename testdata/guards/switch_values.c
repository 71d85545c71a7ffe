/* switch on something that is known picks its cases. */
#include "co.h"

enum mode { MODE_IDLE, MODE_RUN, MODE_STOP = 7 };

int on_the_predicate(void)
{
    switch (qemu_in_coroutine()) {
    case true:
        return co_leaf(); /* near miss: the case of coroutines */
    case false:
        return block_leaf();
    }
    return 0;
}

int on_the_predicate_hit(void)
{
    switch (qemu_in_coroutine()) {
    case 1:
        return 0;
    default:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
}

int default_is_the_other(void)
{
    switch (qemu_in_coroutine()) {
    default:
        return co_leaf(); /* near miss: the others have a case */
    case false:
        return 0;
    }
}

int behind_a_switch(void)
{
    switch (qemu_in_coroutine()) {
    case 0:
        return 0;
    }
    return co_leaf(); /* near miss: the others have a case */
}

int on_a_variable(void)
{
    int inside = qemu_in_coroutine() ? MODE_RUN : MODE_STOP;

    switch (inside) {
    case MODE_RUN:
        return co_leaf(); /* near miss: the value of coroutines */
    case MODE_IDLE:
        return co_leaf(); /* near miss: nobody's value */
    default:
        return 0;
    }
}

int in_a_range(void)
{
    int n = qemu_in_coroutine() ? 5 : 50;

    switch (n) {
    case 1 ... 9:
        return co_leaf(); /* near miss: the range of coroutines */
    case 10 ... 99:
        return block_leaf();
    }
    return 0;
}

int in_a_range_hit(void)
{
    int n = qemu_in_coroutine() ? 5 : 50;

    switch (n) {
    case 1 ... 50:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int falls_through_into_the_default_hit(void)
{
    switch (qemu_in_coroutine()) {
    case false:
        plain_leaf();
        /* fall through */
    default:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    case 2:
        return 0;
    }
}

int default_in_the_middle(int x)
{
    switch (x) {
    case 0:
        if (!qemu_in_coroutine()) {
            return 0;
        }
        break;
    default:
        return 0;
    case 1:
        if (!qemu_in_coroutine()) {
            return 0;
        }
    }
    return co_leaf(); /* near miss: only coroutines come behind the switch */
}

int into_a_loop(int count)
{
    if (!qemu_in_coroutine()) {
        return 0;
    }
    switch (count % 4) {
    case 0:
        do {
            co_leaf(); /* near miss: a device of Duff's, behind a guard */
    case 3:
            co_leaf(); /* near miss: the same */
    case 2:
            co_leaf(); /* near miss: the same */
    case 1:
            co_leaf(); /* near miss: the same */
        } while ((count -= 4) > 0);
    }
    return 0;
}

int into_a_loop_hit(int count)
{
    switch (count % 4) {
    case 0:
        while (qemu_in_coroutine()) {
            plain_leaf();
    case 1:
            co_leaf(); /* expect: error coroutine-call: co_leaf */
        }
    }
    return 0;
}

int wide_values_hit(unsigned long long n)
{
    switch (n) {
    case 0x100000000ull:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int converted(void)
{
    unsigned char n = qemu_in_coroutine() ? 0x102 : 3;

    switch (n) {
    case 2:
        return co_leaf(); /* near miss: what is left of the number in a byte */
    case 3:
        return block_leaf();
    }
    return 0;
}
