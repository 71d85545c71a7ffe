/* flags: -Ipacks/isr */
/* Marks, models, slots and flags beside slots make entries. */
#include "isr.h"

static void waits(void)
{
    task_sleep();
}

ISR void marked(void)
{
    waits(); /* expect: error outside-call: `waits` called from `ISR` `marked` leads to task-only `task_sleep` */
    give_from_isr();
}

void timer_vector(void)
{
    task_sleep(); /* expect: error outside-call: task-only `task_sleep` called from interrupt handler `timer_vector` */
    give_from_isr();
}

/* The pack says by a pattern that halt_system never returns. */
ISR void faulty(int status)
{
    if (status) {
        halt_system(status);
        task_sleep();
    }
    if (!status) {
        reset_system(status);
        task_sleep(); /* expect: error outside-call: task-only `task_sleep` called from `ISR` `faulty` */
    }
}

static void in_table(void)
{
    waits(); /* expect: error outside-call: `waits` called from interrupt handler `in_table` leads to task-only `task_sleep` */
    give_from_isr();
}

/* It is in a field of which the pack says nothing: no entry, and nobody knows where it runs. */
static void beside_it(void)
{
    waits();
}

static void deferred(void)
{
    waits(); /* expect: error outside-call: `waits` called from interrupt handler `deferred` leads to task-only `task_sleep` */
}

static void later(void)
{
    waits();
}

static void at_some_time(void)
{
    waits();
}

static void hook(void)
{
    waits();
}

static struct vector_table table = { .entry = in_table, .name = beside_it };

void start(int when)
{
    use(&table);
    defer(deferred, IN_IRQ);
    defer(later, LATER);
    defer(at_some_time, when);
    defer(task_sleep, IN_IRQ); /* expect: error pointer-gains-mark: task-only `task_sleep` stored in parameter 1 of `defer` with `IN_IRQ`, which is called in an interrupt handler */
    task_hook(hook);
    task_hook(give_from_isr); /* expect: error pointer-loses-mark: handler-only `give_from_isr` stored in task-only parameter 1 of `task_hook` */
    task_hook(task_sleep);
}
