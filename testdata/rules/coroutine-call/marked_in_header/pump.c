/* The unit that defines what pump.h declares. */
#include "pump.h"

int coroutine_fn pump_co_run(int strokes)
{
    while (strokes--) {
        co_leaf(); /* near miss: marked */
    }
    return pump_level();
}

int pump_level(void)
{
    return plain_leaf(); /* near miss: demands nothing */
}
