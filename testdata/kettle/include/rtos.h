/* A small real-time kernel, as far as the kettle uses it. */
#ifndef RTOS_H
#define RTOS_H

#include <stdbool.h>

void fail(const char *what) __attribute__((noreturn));
#define ASSERT(condition) ((condition) ? (void)0 : fail(#condition))

/* The level is 0 in a task, and higher in an interrupt or while interrupts are disabled. */
int cpu_level(void);
#define in_irq() (cpu_level() != 0)

/* For functions that must not be called in an interrupt. */
#define TASK_ONLY() ASSERT(!in_irq())

void irq_disable(void);
void irq_enable(void);
void irq_register(int number, void (*handler)(void));

struct vector {
    int number;
    void (*handler)(void);
};

void task_create(void (*entry)(void));
void task_sleep(int milliseconds);

struct queue;
void queue_put(struct queue *queue, int value);          /* waits for room */
void queue_put_from_isr(struct queue *queue, int value); /* drops the value if there is no room */
int queue_get(struct queue *queue);                      /* waits for a value */

#endif
