/* Slots may be for the outside only, too. */
#include "co.h"

struct driver {
    int no_coroutine_fn (*close)(void);
    int (*probe)(void);
};

int coroutine_fn closes(struct driver *drv)
{
    return drv->close(); /* expect: error blocking-call: call through */
}

int coroutine_fn probes(struct driver *drv)
{
    return drv->probe(); /* near miss: the slot demands nothing */
}

int no_coroutine_fn closes_outside(struct driver *drv)
{
    return drv->close(); /* near miss: outside */
}
