#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

struct cpu { unsigned count; bool isr; };
extern struct cpu *cpu(void);
extern int task_depth;
void at(void);
int chance(void);

#define in_irq() (cpu()->count & 0xff00)
#define in_soft_irq() (cpu()->count & 0xff)
#define IN_TASK task_depth
#define IN_ISR(c) (c)->isr
#define likely(x) __builtin_expect(!!(x), 1)
#define ASSERT_IRQ() assert(in_irq())
#define CHECK(x) do { if (!(x)) abort(); } while (0)
#define ANY_IRQ() (in_irq() || in_soft_irq())
#define IF_IRQ(statement) if (in_irq()) { statement; }

static inline int is_isr(void)
{
    return cpu()->isr;
}

void functions_and_macros(void)
{
    if (in_irq()) {
        at(); /* in-in */
    } else {
        at(); /* out-out */
    }
    if (!in_irq()) {
        at(); /* out-out */
    }
    if (in_soft_irq()) {
        at();
    }
    if (IN_TASK) {
        at(); /* out-out */
    }
    if (IN_ISR(cpu())) {
        at(); /* in-in */
    }
    if (is_isr()) {
        at(); /* in-in */
    }
    if (cpu()->isr) {
        at();
    }
}

void conditions(int x)
{
    if (likely(in_irq()) && x) {
        at(); /* in-in */
    } else {
        at();
    }
    if (x || in_irq()) {
        at();
    } else {
        at(); /* out-out */
    }
    if (in_irq() ? x : IN_TASK) {
        at();
    }
    if (x ? in_irq() : is_isr()) {
        at(); /* in-in */
    }
    if (in_irq() + x) {
        at();
    }
    if (ANY_IRQ()) {
        at();
    } else {
        at(); /* out-out */
    }
    while (in_irq() != 0) {
        at(); /* in-in */
        if (chance()) {
            break;
        }
    }
    switch (IN_TASK) {
    case 0:
        at(); /* in-in */
        break;
    default:
        at(); /* out-out */
    }
    IF_IRQ(at();) /* in-in */
}

void stored(int x)
{
    bool irq = in_irq();
    int task = IN_TASK && x;
    unsigned long both = !!in_irq();
    if (irq) {
        at(); /* in-in */
    }
    if (task) {
        at(); /* out-out */
    } else {
        at();
    }
    if (both == 0) {
        at(); /* out-out */
    }
    irq = chance();
    if (irq) {
        at();
    }
}

void compared(void)
{
    if (is_isr() == true) {
        at(); /* in-in */
    }
    if (is_isr() == 2) {
        at(); /* in-in */
    } else {
        at();
    }
    if (0 == in_irq()) {
        at(); /* out-out */
    }
}

void asserted(void) /* asserts: in */
{
    ASSERT_IRQ();
    at(); /* in-in */
}

void asserted_by_hand(void) /* asserts: out */
{
    CHECK(IN_TASK);
    at(); /* out-out */
}

void asserted_otherwise(void) /* asserts: out */
{
    assert(!in_irq() && "in an interrupt");
    at(); /* out-out */
}

void asserted_with_something_else(int x)
{
    assert(in_irq() || x);
    at();
}

void asserted_about_something_else(void)
{
    assert(in_soft_irq());
    at();
}
