/* Constants that are shifted, in masks and in arguments. */
#include "co.h"

#define BIT(n) (1 << (n))
#define UBIT(n) (1u << (n))

static void by_mask(unsigned flags)
{
    if (flags & BIT(3)) {
        block_leaf();
    }
}

void coroutine_fn passes_other_bits(void)
{
    by_mask(UBIT(2) | UBIT(1)); /* near miss: not the bit that blocks */
}

static void by_sum(int kind)
{
    if (kind == 2 * 3 - 1) {
        block_leaf();
    }
}

void coroutine_fn passes_the_sum(void)
{
    by_sum(10 / 2); /* expect: error blocking-call: by_sum */
}

static void by_other_sum(int kind)
{
    if (kind == 2 * 3 - 1) {
        block_leaf();
    }
}

void coroutine_fn passes_another_sum(void)
{
    by_other_sum(10 / 5); /* near miss: 2 is not 5 */
}
