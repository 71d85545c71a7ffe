/* A small tree with two kinds of context: fibers, and interrupts. */
#ifndef POND_H
#define POND_H

#define FIBER_FN
#define IRQ_SAFE

_Bool fiber_running(void);
FIBER_FN void fiber_pause(void);
void irq_install(int number, void (*handler)(int));
IRQ_SAFE void port_write(int value);
void log_line(int value);

#endif
