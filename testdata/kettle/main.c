#include "kettle.h"

/* Nobody may touch the heater while the lid is open. */
void lid_opened(void)
{
    heater_off();
}

static void timer_tick(void)
{
    queue_put_from_isr(readings, sensor_port);
    log_line("tick");
}

static const struct vector vectors[] = {
    { 1, timer_tick },
};

static void blink_task(void)
{
    for (;;) {
        queue_put_from_isr(readings, 0);
        heater_pulse();
    }
}

int main(void)
{
    irq_register(vectors[0].number, vectors[0].handler);
    irq_register(4, lid_opened);
    task_create(sensor_task);
    task_create(blink_task);
    return 0;
}
