/* Constants: conditions on them have one arm. */
#include "co.h"

enum { OFF, ON = 5, MASK = 1 << 3 };
static const bool never = false;
static const int count = 3;
extern const bool elsewhere;
static bool not_const = false;
static const volatile bool by_hardware = false;

int no_coroutine_fn enumerator(void)
{
    if (OFF) {
        return co_leaf(); /* near miss: dead */
    }
    return 0;
}

int no_coroutine_fn enumerator_hit(void)
{
    if (ON) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int no_coroutine_fn constant_variable(void)
{
    if (never || count != 3) {
        return co_leaf(); /* near miss: dead */
    }
    return 0;
}

int no_coroutine_fn constant_elsewhere_hit(void)
{
    if (elsewhere) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int no_coroutine_fn not_constant_hit(void)
{
    if (not_const || by_hardware) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int no_coroutine_fn constants_of_the_body(void)
{
    static const int local = 0;
    const int other = ON & ~ON;

    if (local || other) {
        return co_leaf(); /* near miss: dead */
    }
    return 0;
}

int no_coroutine_fn shadowed_hit(int x)
{
    const bool never = x;

    if (never) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int no_coroutine_fn sizes(void)
{
    if (sizeof(char) != 1 || sizeof(long) < 2 || _Alignof(char) > 1) {
        return co_leaf(); /* near miss: dead */
    }
    return 0;
}

int no_coroutine_fn characters(void)
{
    if ('a' == 'b') {
        return co_leaf(); /* near miss: dead */
    }
    return 0;
}

int no_coroutine_fn folded(void)
{
    if ((MASK & 7) || (ON | 2) != 7 || (ON ^ ON) || ON + 1 != 6 || ON - 5 || ON >= 6 || -ON > 0) {
        return co_leaf(); /* near miss: dead */
    }
    return 0;
}

int no_coroutine_fn folded_hit(void)
{
    if ((MASK & 8) && ON < 6 && -1 < 0 && ~0 == -1) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int no_coroutine_fn unsigned_hit(void)
{
    if (-1 > 1u) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int no_coroutine_fn narrowed(void)
{
    unsigned char byte = 256;

    if (byte) {
        return co_leaf(); /* near miss: nothing is left of it in a byte */
    }
    return 0;
}

int flags_in_a_variable(void)
{
    int flags = 0;

    if (qemu_in_coroutine()) {
        flags |= 4;
    }
    if (flags & 4) {
        return co_leaf(); /* near miss: coroutines set the bit */
    }
    return 0;
}

int flags_in_a_variable_hit(void)
{
    int flags = 8;

    if (qemu_in_coroutine()) {
        flags |= 4;
    }
    if (flags & 12) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int predicate_without_the_middle(void)
{
    if (qemu_in_coroutine() ?: 0) {
        return co_leaf(); /* near miss: the other value is false */
    }
    return 0;
}

int predicate_without_the_middle_hit(int x)
{
    if (qemu_in_coroutine() ?: x) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int predicate_stored_without_the_middle(void)
{
    int inside = qemu_in_coroutine() ?: OFF;

    return inside ? co_leaf() : 0; /* near miss: the other value is false */
}
