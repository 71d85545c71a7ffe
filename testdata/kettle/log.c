#include "kettle.h"

/* The line is slow: wait for each byte. */
static void uart_write(char byte)
{
    while (uart_port) {
        task_sleep(1);
    }
    uart_port = byte;
}

void log_line(const char *text)
{
    if (in_irq()) {
        return; /* no time for it */
    }
    while (*text) {
        uart_write(*text++);
    }
    uart_write('\n');
}
