#include "kettle.h"

/* The vector table has it by this name. */
void sensor_isr(void)
{
    queue_put(readings, sensor_port);
}

void sensor_task(void)
{
    for (;;) {
        int degrees = queue_get(readings);

        heater_set(degrees < 100);
        log_line(degrees < 100 ? "heating" : "boiling");
    }
}
