/* A function whose body a resolver chooses when the program starts. */
#include "co.h"

static int fast(void)
{
    return block_leaf();
}

static int slow(void)
{
    return plain_leaf();
}

static int (*choose(void))(void)
{
    return plain_leaf() ? fast : slow;
}

static int (*choose_slow(void))(void)
{
    return slow;
}

int chosen(void) __attribute__((ifunc("choose")));
int chosen_slow(void) __attribute__((ifunc("choose_slow")));

int coroutine_fn calls_chosen(void)
{
    return chosen(); /* expect: warning blocking-call: block_leaf */
}

int coroutine_fn calls_slow(void)
{
    return chosen_slow(); /* near miss */
}
