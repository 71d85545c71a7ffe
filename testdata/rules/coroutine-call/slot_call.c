/* A call through a slot demands what the slot's marks demand. */
#include "co.h"

typedef int coroutine_fn CoHandler(int sector);
typedef int coroutine_fn (*CoHandlerPtr)(int sector);

struct driver {
    int coroutine_fn (*co_read)(int sector);
    int (*probe)(int sector);
    CoHandler *co_write;
    CoHandlerPtr co_discard;
    int coroutine_fn (*co_table[2])(int sector);
};

int no_coroutine_fn through_field(struct driver *drv)
{
    return drv->co_read(1); /* expect: error coroutine-call: call through */
}

int no_coroutine_fn through_dereference(struct driver *drv)
{
    return (*drv->co_read)(1); /* expect: error coroutine-call: call through */
}

int no_coroutine_fn through_typedef(struct driver *drv)
{
    return drv->co_write(1); /* expect: error coroutine-call: call through */
}

int no_coroutine_fn through_pointer_typedef(struct driver *drv)
{
    return drv->co_discard(1); /* expect: error coroutine-call: call through */
}

int no_coroutine_fn through_array(struct driver *drv)
{
    return drv->co_table[1](1); /* expect: error coroutine-call: call through */
}

int no_coroutine_fn through_parameter(int coroutine_fn (*handler)(int))
{
    return handler(1); /* expect: error coroutine-call: call through */
}

int no_coroutine_fn through_local(struct driver *drv)
{
    int coroutine_fn (*handler)(int) = drv->co_read;

    return handler(1); /* expect: error coroutine-call: call through */
}

int unmarked(struct driver *drv)
{
    return drv->co_read(1); /* expect: error coroutine-call: call through */
}

int no_coroutine_fn unmarked_slot(struct driver *drv)
{
    return drv->probe(1); /* near miss: the slot demands nothing */
}

int guarded(struct driver *drv)
{
    if (qemu_in_coroutine()) {
        return drv->co_write(1); /* near miss: guarded */
    }
    return drv->probe(1);
}

int coroutine_fn inside(struct driver *drv, CoHandler *handler)
{
    return drv->co_read(1) + handler(2); /* near miss: marked */
}

bool no_coroutine_fn only_looks(struct driver *drv)
{
    return drv->co_read && sizeof(drv->co_read(1)); /* near miss: looked at, not called */
}
