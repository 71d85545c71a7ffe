/* Two more callers that do not bear the mark. */
#include "meter.h"

int logger_one(void)
{
    return meter_read(3); /* near miss: the suspect is the mark */
}

int logger_two(void)
{
    return meter_read(3); /* near miss: the suspect is the mark */
}
