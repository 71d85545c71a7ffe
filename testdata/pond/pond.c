#include "pond.h"

/* fiber.toml: a fiber function outside of fibers. irq.toml has nothing to say of it. */
static void feed(void)
{
    fiber_pause();
}

/* Near miss: the guard is fiber.toml's. */
static void feed_gently(void)
{
    if (fiber_running()) {
        fiber_pause();
    }
}

/* irq.toml: the handler logs. fiber.toml has nothing to say of it. */
static void on_tick(int number)
{
    log_line(number);
}

/* Near miss: writing to a port is fine in an interrupt. */
static void on_key(int number)
{
    port_write(number);
}

int main(void)
{
    irq_install(1, on_tick);
    irq_install(2, on_key);
    feed();
    feed_gently();
    return 0;
}
