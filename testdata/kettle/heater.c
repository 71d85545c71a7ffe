#include "kettle.h"

void heater_set(bool on)
{
    TASK_ONLY();
    heater_port = on;
    task_sleep(20); /* the relay bounces */
}

void heater_off(void)
{
    heater_set(false);
    log_line("off");
}

/* The port must not be high for longer than this. */
void heater_pulse(void)
{
    irq_disable();
    heater_port = 1;
    task_sleep(1);
    heater_port = 0;
    irq_enable();
    task_sleep(100);
}
