/* flags: -Ipacks/isr */
/* An entry that the program calls as well: it is judged inside, and where it is called. */
#include "isr.h"

static void twice(void)
{
    give_from_isr(); /* expect: error inside-call: `task_main` calls `twice` in a task */
    if (!in_irq()) {
        task_sleep();
    }
    if (in_irq()) {
        give_from_isr();
        task_sleep(); /* expect: error outside-call: task-only `task_sleep` called from interrupt handler `twice` */
    }
}

static void once(void)
{
    give_from_isr();
}

static void guarded(void)
{
    if (in_irq()) {
        give_from_isr();
    }
}

/* Only another handler calls it. */
static void from_a_handler(void)
{
    give_from_isr();
}

static void calls_another(void)
{
    from_a_handler();
}

static struct vector_table tables[] = {
    { .entry = twice }, { .entry = once }, { .entry = guarded }, { .entry = from_a_handler }, { .entry = calls_another },
};

void task_main(void)
{
    use(tables);
    twice();
    guarded();
}
