/* Calls that a macro makes: found where the macro is used. */
#include "co.h"

#define READ_SECTOR(n) dev_co_read(n)
#define CALL(function, argument) (function)(argument)
#define READ_TWO(n)             \
    do {                        \
        dev_co_read(n);         \
        dev_co_read((n) + 1);   \
    } while (0)
#define UNUSED_READ(n) dev_co_read(n) /* near miss: a macro that nobody uses */

int in_the_replacement(void)
{
    return READ_SECTOR(1); /* expect: error coroutine-call: call of `dev_co_read` is written here */
}

int as_an_argument(void)
{
    return CALL(dev_co_read, 1); /* expect: error coroutine-call: dev_co_read */
}

int two_in_one(void)
{
    READ_TWO(1); /* expect: error coroutine-call: dev_co_read */
    return 0;
}

int coroutine_fn inside(void)
{
    READ_TWO(1); /* near miss: marked */
    return READ_SECTOR(3);
}

int the_wrapper(void)
{
    return CALL(dev_read, 1); /* near miss: the wrapper */
}
