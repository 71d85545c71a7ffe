/* The predicate compared with a constant or with a flag. */
#include "co.h"

int equals_true(void)
{
    if (qemu_in_coroutine() == true) {
        return co_leaf(); /* near miss: the same as the predicate */
    }
    return 0;
}

int equals_true_else_hit(void)
{
    if (qemu_in_coroutine() == true) {
        return 0;
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int equals_false(void)
{
    if (qemu_in_coroutine() == false) {
        return 0;
    }
    return co_leaf(); /* near miss: false was sent away */
}

int equals_false_hit(void)
{
    if (qemu_in_coroutine() == false) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int differs_from_false(void)
{
    if (qemu_in_coroutine() != false) {
        return co_leaf(); /* near miss: not false is true */
    }
    return 0;
}

int differs_from_true_hit(void)
{
    if (qemu_in_coroutine() != true) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int equals_one(void)
{
    if (1 == qemu_in_coroutine()) {
        return co_leaf(); /* near miss: the constant may stand on the left */
    }
    return 0;
}

int equals_zero_hit(void)
{
    if (0 == qemu_in_coroutine()) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int equals_unknown_flag_hit(void)
{
    bool flag = plain_leaf();

    if (qemu_in_coroutine() == flag) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int equals_flag_and_flag(void)
{
    bool flag = plain_leaf();

    if (flag && qemu_in_coroutine() && qemu_in_coroutine() == flag) {
        return co_leaf(); /* near miss: the second conjunct decides alone */
    }
    return 0;
}

int equals_another_call_hit(void)
{
    if (qemu_in_coroutine() == plain_leaf()) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}
