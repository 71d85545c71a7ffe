/* A function for the outside, stored where it is called in coroutines. */
#include "co.h"

struct driver {
    int coroutine_fn (*co_read)(int sector);
    int coroutine_mixed_fn (*either)(int sector);
    int no_coroutine_fn (*outside)(int sector);
    int (*unmarked)(int sector);
};

int no_coroutine_fn blocking_work(int sector)
{
    return sector;
}

int plain_work(int sector)
{
    return sector;
}

struct driver one = {
    .co_read = blocking_work, /* expect: error pointer-gains-mark: which is called in coroutine context */
    .either = blocking_work, /* expect: warning pointer-gains-mark: which may be called in coroutine context */
    .outside = blocking_work, /* near miss: the slot says so */
    .unmarked = blocking_work, /* near miss: the slot says nothing */
};

struct driver other = {
    .co_read = plain_work, /* near miss: nothing is known of it */
    .either = plain_work,
    .outside = plain_work,
};

static void takes(int coroutine_fn (*handler)(int sector))
{
    (void)handler;
}

void passes(void)
{
    takes(blocking_work); /* expect: error pointer-gains-mark: parameter 1 of `takes` */
}
