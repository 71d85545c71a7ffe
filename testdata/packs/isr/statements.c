/* flags: -Ipacks/isr */
/* A mark that is a statement marks the function; no prototype needs it, and what it asserts needs no other mark. */
#include "isr.h"

void in_a_task(void);
void anywhere(void);

void in_a_task(void)
{
    TASK_CODE();
    task_sleep();
}

void anywhere(void)
{
    ANY_CODE();
    task_sleep(); /* expect: warning outside-call: task-only `task_sleep` called without a guard from `ANY_CODE` `anywhere` */
}

/* It only asserts, so that the mark is missing. */
static void asserts(void)
{
    assert(!in_irq()); /* expect: warning assert-without-mark: unmarked `asserts` asserts a task */
}

ISR void handler(void)
{
    in_a_task(); /* expect: error outside-call: `TASK_CODE` `in_a_task` called from `ISR` `handler` */
    anywhere();
}

void caller(void)
{
    TASK_CODE();
    in_a_task();
    anywhere();
    asserts();
    give_from_isr(); /* expect: error inside-call: handler-only `give_from_isr` called from `TASK_CODE` `caller` */
}
