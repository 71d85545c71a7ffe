/* switch: every case label is an entrance of its own. */
#include "co.h"

int before_the_switch(int x)
{
    if (!qemu_in_coroutine()) {
        return -1;
    }
    switch (x) {
    case 0:
        return co_leaf(); /* near miss: refined before the switch */
    case 1:
        plain_leaf();
        /* fall through */
    default:
        return co_leaf(); /* near miss: refined before the switch */
    }
}

int fall_through_hit(int x)
{
    switch (x) {
    case 0:
        if (!qemu_in_coroutine()) {
            return -1;
        }
        /* fall through */
    case 1:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int guarded_case(int x)
{
    switch (x) {
    case 0:
        if (!qemu_in_coroutine()) {
            break;
        }
        co_leaf(); /* near miss: the others broke out */
        break;
    default:
        break;
    }
    return 0;
}

int guard_of_another_case_hit(int x)
{
    switch (x) {
    case 0:
        if (!qemu_in_coroutine()) {
            break;
        }
        return 0;
    case 1:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int after_the_switch_hit(int x)
{
    switch (x) {
    case 0:
        if (!qemu_in_coroutine()) {
            break;
        }
        return 0;
    default:
        return 0;
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int after_the_switch(int x)
{
    switch (x) {
    case 0:
        if (qemu_in_coroutine()) {
            break;
        }
        return 0;
    default:
        return 0;
    }
    return co_leaf(); /* near miss: the only way out is in a coroutine */
}

int after_the_switch_without_default_hit(int x)
{
    switch (x) {
    case 0:
        if (qemu_in_coroutine()) {
            break;
        }
        return 0;
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int inside_a_guard(int x)
{
    if (qemu_in_coroutine()) {
        switch (x) {
        case 0:
            return co_leaf(); /* near miss: the whole switch is guarded */
        }
    }
    return 0;
}

int fall_through_of_two(int x)
{
    switch (x) {
    case 0:
    case 1:
        if (qemu_in_coroutine()) {
            return co_leaf(); /* near miss: guarded after the labels */
        }
        break;
    }
    return 0;
}

int case_inside_a_guarded_block_hit(int x)
{
    switch (x) {
    case 0:
        if (qemu_in_coroutine()) {
    case 1:
            return co_leaf(); /* expect: error coroutine-call: co_leaf */
        }
    }
    return 0;
}
