/* Where control is known to be outside, every call needs an edit of its own. */
#include "co.h"

int no_coroutine_fn marked_outside(void)
{
    int r = dev_co_read(1); /* expect: error coroutine-call: dev_co_read */

    r += dev_co_read(2); /* expect: error coroutine-call: dev_co_read */
    return r + co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn through_the_wrapper(void)
{
    return dev_read(1) + dev_flush(); /* near miss: the wrappers are for the outside */
}

static int called_from_outside_only(void)
{
    int r = dev_co_read(1); /* expect: error coroutine-call: dev_co_read */

    return r + dev_co_read(2); /* expect: error coroutine-call: dev_co_read */
}

int no_coroutine_fn first_caller(void)
{
    return called_from_outside_only(); /* near miss: the calls above are the things to fix */
}

int no_coroutine_fn second_caller(void)
{
    return called_from_outside_only(); /* near miss: likewise */
}

int guarded_outside(void)
{
    if (!qemu_in_coroutine()) {
        dev_co_read(1); /* expect: error coroutine-call: dev_co_read */
        dev_co_read(2); /* expect: error coroutine-call: dev_co_read */
        return dev_read(3); /* near miss: the wrapper */
    }
    return dev_co_read(4); /* near miss: this is the inside */
}

int no_coroutine_fn inside_after_all(CoroutineEntry *entry)
{
    Coroutine *co = qemu_coroutine_create(entry, NULL);

    qemu_coroutine_enter(co); /* near miss: entering a coroutine is no demand for one */
    return 0;
}
