/* Three callers that do not bear the mark, and one that does. */
#include "meter.h"

int panel_one(void)
{
    return meter_read(1); /* near miss: the suspect is the mark */
}

int panel_two(void)
{
    return meter_read(1); /* near miss: the suspect is the mark */
}

int panel_three(void)
{
    return meter_read(1); /* near miss: the suspect is the mark */
}

int coroutine_fn panel_co_refresh(void)
{
    return meter_read(2) + meter_co_reset(); /* near miss: marked */
}

int panel_reset(void)
{
    return meter_co_reset(); /* expect: error coroutine-call: meter_co_reset */
}
