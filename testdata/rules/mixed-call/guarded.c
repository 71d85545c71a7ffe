/* A guard tells a function without marks that it is in a coroutine. */
#include "co.h"

int guarded(void)
{
    if (qemu_in_coroutine()) {
        return dev_read(1); /* expect: warning mixed-call: dev_co_read */
    }
    return dev_read(2); /* near miss: outside only the wrapper will do */
}

int after_return(void)
{
    if (!qemu_in_coroutine()) {
        return dev_read(1); /* near miss: outside only the wrapper will do */
    }
    return dev_read(2); /* expect: warning mixed-call: dev_co_read */
}

int split(void)
{
    return qemu_in_coroutine() ? dev_co_read(1) : dev_read(1); /* near miss: each on its side */
}
