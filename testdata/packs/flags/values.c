/* flags: -Ipacks/flags */
/* The flag beside a slot counts by its value, however that is written. */
#include "flags.h"

enum { FROM_IRQ = IN_IRQ };

#define BOTH (IN_IRQ | SHARED)

static void HANDLER handler(void)
{
    give();
}

static void TASK job(void)
{
    wait();
}

static const int always = IN_IRQ | SHARED;

int flags_now(void);

void set_up_flags(int given);
void set_up_flags(int given)
{
    const int here = IN_IRQ;

    defer(job, SHARED & ~IN_IRQ);
    defer(job, IN_IRQ ^ IN_IRQ);
    defer(job, 4);
    defer(job, ~IN_IRQ);
    defer(job, 2); /* expect: error pointer-gains-mark */
    defer(job, ~0); /* expect: error pointer-gains-mark */
    defer(job, FROM_IRQ); /* expect: error pointer-gains-mark */
    defer(job, BOTH); /* expect: error pointer-gains-mark */
    defer(job, always); /* expect: error pointer-gains-mark */
    defer(job, here); /* expect: error pointer-gains-mark */
    defer(handler, FROM_IRQ);
    defer(handler, 2);
    defer(handler, ~0);
    defer(handler, always);
    defer(handler, 4); /* expect: error pointer-loses-mark */
    /* No constant. */
    defer(handler, given);
    defer(job, given | SHARED);
    defer(job, given ? IN_IRQ : LATER);
    defer(handler, flags_now());
}

struct board {
    struct timer first;
    struct timer others[4];
};

/* Designators may come back to a member. */
static struct board right = {
    .first.run = handler,
    .first.in_irq = 1,
    .others[1].run = handler,
    .others[2].run = job,
    .others[1].in_irq = 1,
    .others[3] = { "tick", handler, 2 > 1 },
};
static struct timer timers[] = {
    [1].run = handler,
    [2] = { .run = job },
    [1].in_irq = 1,
};
static struct board wrong = {
    .first.run = handler, /* expect: error pointer-loses-mark */
    .others[1].run = job, /* expect: error pointer-gains-mark */
    .others[1].in_irq = 1,
    .others[2].in_irq = 1,
};

void set_up_timers(struct board *board);
void set_up_timers(struct board *board)
{
    struct timer later = { .run = handler };
    struct timer never = { .run = handler }; /* expect: error pointer-loses-mark */

    later.in_irq = 1;
    board->first = later;
    board->first = never;
    board->others[0] = right.first;
    board->others[1] = wrong.first;
    board->others[2] = timers[1];
}
