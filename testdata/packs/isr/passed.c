/* flags: -Ipacks/isr */
/* What is passed to a function that is called through a pointer is an entry, also if the program has no such function. */
#include "isr.h"

typedef void (*irq_hook)(void);

struct chip {
    void (*install)(irq_hook hook);
    void (*later)(void (*work)(void));
    void (*attach)(irq_hook hook);
};

static void passed(void)
{
    task_sleep(); /* expect: error outside-call: task-only `task_sleep` called from interrupt handler `passed` */
}

static void kept(void)
{
    task_sleep(); /* expect: error outside-call: task-only `task_sleep` called from interrupt handler `kept` */
}

static void attached(void)
{
    task_sleep(); /* expect: error outside-call: task-only `task_sleep` called from interrupt handler `attached` */
}

/* The type of its parameter says nothing. */
static void work(void)
{
    task_sleep();
}

static void attach(irq_hook hook)
{
    use_hook(hook);
}

static const struct chip timer = { .attach = attach };
static void (*saved)(void) = kept;

void set_up(const struct chip *chip);
void set_up(const struct chip *chip)
{
    chip->install(passed);
    chip->install(saved);
    chip->later(work);
    timer.attach(attached);
}
