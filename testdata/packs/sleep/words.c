/* Messages have the words, the help texts, the names and the levels of the pack. */
#include "sleep.h"

static void TASK_ONLY wait_for_disk(void)
{
    schedule();
}

static void INTERRUPT_ONLY on_interrupt(void)
{
    acknowledge();
    wait_for_disk(); /* expect: error sleep-in-interrupt: `TASK_ONLY` `wait_for_disk` called from `INTERRUPT_ONLY` `on_interrupt` */
}

static void ANY_CONTEXT flush(void)
{
    wait_for_disk(); /* expect: error sleep-in-interrupt: make the call of `wait_for_disk` depend on `in_task()` */
    if (in_task()) {
        wait_for_disk();
    }
}

static void hidden(void)
{
    acknowledge();
}

static void TASK_ONLY writer(void)
{
    acknowledge(); /* expect: warning interrupt-only-call: `INTERRUPT_ONLY` `acknowledge` called from `TASK_ONLY` `writer` */
    hidden(); /* expect: warning interrupt-only-call: queue what leads to `acknowledge` for the interrupt thread */
}

static int lock;

static void TASK_ONLY locked(void)
{
    spin_lock(&lock);
    wait_for_disk(); /* expect: error sleep-with-lock: call of `wait_for_disk` may sleep while `locked` holds a thread lock (spinlock) */
    spin_unlock(&lock);
    wait_for_disk();
}

static void unmarked(void)
{
    schedule(); /* expect: error sleep-in-interrupt: `TASK_ONLY` `schedule` called from unmarked `unmarked` */
}

static void start(void)
{
    schedule();
    acknowledge(); /* expect: warning interrupt-only-call: `INTERRUPT_ONLY` `acknowledge` called from task function `start` */
}

void boot(void)
{
    run_task(start);
    on_interrupt();
    flush();
    writer(); /* expect: error sleep-in-interrupt: `TASK_ONLY` `writer` called from unmarked `boot` */
    locked();
    unmarked();
}
