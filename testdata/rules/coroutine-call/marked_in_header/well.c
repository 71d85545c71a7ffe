/* A unit that only sees the prototype. */
#include "pump.h"

int well_fill(void)
{
    return pump_co_run(3) + pump_level(); /* expect: error coroutine-call: pump_co_run */
}

int coroutine_fn well_co_fill(void)
{
    return pump_co_run(3); /* near miss: marked */
}
