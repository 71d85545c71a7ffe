/* Integer and enumeration parameters: constants that callers pass decide which calls they reach. */
#include "co.h"

typedef enum { KIND_READ, KIND_WRITE, KIND_WAIT } Kind;
#define FLAG_WAIT 4

static int by_number(int n)
{
    if (n == 3) {
        return co_leaf(); /* near miss: who runs outside passes another number */
    }
    return 0;
}

void coroutine_fn passes_three(void)
{
    by_number(3);
}

void no_coroutine_fn passes_four(void)
{
    by_number(4);
}

static int by_number_hit(int n)
{
    if (n == 3) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

void no_coroutine_fn passes_three_outside(void)
{
    by_number_hit(3);
}

static int by_unknown_number_hit(int n)
{
    if (n == 3) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

void no_coroutine_fn passes_anything(int n)
{
    by_unknown_number_hit(n);
}

static int by_truth(unsigned may_wait)
{
    if (may_wait) {
        return co_leaf(); /* near miss: who runs outside passes 0 */
    }
    return 0;
}

static int passes_on(int may_wait)
{
    return by_truth(may_wait);
}

void coroutine_fn waits(void)
{
    passes_on(1);
}

void no_coroutine_fn does_not_wait(void)
{
    passes_on(0);
}

static int by_kind(Kind kind)
{
    switch (kind) {
    case KIND_READ:
        return plain_leaf();
    case KIND_WAIT:
        return co_leaf(); /* near miss: who runs outside passes another kind */
    default:
        return 0;
    }
}

void coroutine_fn of_kind_wait(void)
{
    by_kind(KIND_WAIT);
    by_kind(KIND_READ);
}

void no_coroutine_fn of_kind_read(void)
{
    by_kind(KIND_READ);
    by_kind(KIND_WRITE);
}

static int by_default_hit(Kind kind)
{
    switch (kind) {
    case KIND_READ:
        return plain_leaf();
    default:
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
}

void no_coroutine_fn of_kind_write(void)
{
    by_default_hit(KIND_WRITE);
}

static int by_bit(int flags)
{
    if (flags & FLAG_WAIT) {
        return co_leaf(); /* near miss: who runs outside does not pass the bit */
    }
    return 0;
}

void coroutine_fn with_the_bit(void)
{
    by_bit(FLAG_WAIT | 1);
}

void no_coroutine_fn without_the_bit(void)
{
    by_bit(1 | 2);
}

static int by_bit_hit(unsigned flags)
{
    if ((flags & FLAG_WAIT) == 0) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

void no_coroutine_fn without_the_bit_outside(void)
{
    by_bit_hit(3);
}

static int changed_hit(int n)
{
    if (plain_leaf()) {
        n = 3;
    }
    if (n == 3) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

void no_coroutine_fn passes_zero(void)
{
    changed_hit(0);
}

void set_number(int *n);

static int address_taken_hit(int n)
{
    set_number(&n);
    if (n == 3) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

void no_coroutine_fn passes_zero_too(void)
{
    address_taken_hit(0);
}

static int two_tests(int n)
{
    if (n == 1) {
        return 0;
    }
    if (n != 2) {
        return 0;
    }
    return co_leaf(); /* near miss: who runs outside passes 1 */
}

void coroutine_fn passes_two(void)
{
    two_tests(2);
}

void no_coroutine_fn passes_one(void)
{
    two_tests(1);
}

int tested_twice(int n)
{
    if (n == 3 && !qemu_in_coroutine()) {
        return 0;
    }
    if (n == 3) {
        return co_leaf(); /* near miss: the others with this number returned */
    }
    return 0;
}

int tested_for_another_number_hit(int n)
{
    if (n == 2 && !qemu_in_coroutine()) {
        return 0;
    }
    if (n == 3) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int tested_for_fewer_bits_hit(int flags)
{
    if ((flags & 1) && !qemu_in_coroutine()) {
        return 0;
    }
    if (flags & 3) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int tested_for_more_bits(int flags)
{
    if ((flags & 3) && !qemu_in_coroutine()) {
        return 0;
    }
    if (flags & 1) {
        return co_leaf(); /* near miss: the others with any of the bits returned */
    }
    return 0;
}
