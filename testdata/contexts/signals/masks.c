#include <signal.h>
#include <stdlib.h>

enum level { LEVEL_NONE, LEVEL_SOME, LEVEL_ALL };
extern const int unknown_level;
void at(void);
int chance(void);
void set_level(int cpu, int level);

void block_and_unblock(sigset_t *set) /* returns: never */
{
    sigset_t old;
    sigprocmask(SIG_BLOCK, set, &old);
    at(); /* in-out, out-out */
    pthread_sigmask(SIG_UNBLOCK, &old, NULL);
    at(); /* in-in, out-in */
    sigprocmask(SIG_SETMASK, &old, NULL);
    at(); /* in-in, out-in */
    exit(0);
}

#define BLOCK_ALL(set) sigprocmask(SIG_BLOCK, set, NULL)

void block_by_a_macro(sigset_t *set) /* returns: in-out, out-out */
{
    BLOCK_ALL(set);
    at(); /* in-out, out-out */
}

void block_by_number(sigset_t *set) /* returns: in-out, out-out */
{
    sigprocmask(0, set, NULL);
    at(); /* in-out, out-out */
    sigprocmask(2, set, NULL);
    at(); /* in-out, out-out */
}

void block_by_a_variable(sigset_t *set) /* returns: in-out, out-out */
{
    int how = SIG_BLOCK;
    sigprocmask(how, set, NULL);
    at(); /* in-out, out-out */
}

void block_or_unblock(int how, sigset_t *set) /* returns: in-in, in-out, out-in, out-out */
{
    sigprocmask(how, set, NULL);
    at(); /* in-in, in-out, out-in, out-out */
    if (how == SIG_BLOCK) {
        at(); /* in-out, out-out */
    }
}

void mask_that_is_computed(sigset_t *set) /* returns: in-in, in-out, out-in, out-out */
{
    sigprocmask(chance(), set, NULL);
    at(); /* in-in, in-out, out-in, out-out */
}

void levels(void) /* returns: never */
{
    set_level(1, LEVEL_SOME);
    at();
    set_level(1, LEVEL_ALL);
    at(); /* in-out, out-out */
    set_level(1, LEVEL_NONE);
    at(); /* in-in, out-in */
    set_level(2, 0);
    at(); /* in-in, out-in */
    /* The pack has the name of the constant, and not its number. */
    set_level(0, 2);
    at(); /* in-in, in-out, out-in, out-out */
    set_level(2, 0);
    at(); /* in-in, out-in */
    set_level(0, unknown_level);
    at(); /* in-in, in-out, out-in, out-out */
    exit(0);
}

struct scope { int flags; };
void leave(struct scope *scope);
#define scoped(kind, lock) struct scope scope_##kind __attribute__((cleanup(leave))) = enter_##kind(lock)
struct scope enter_irq(int *lock);
struct scope enter_mutex(int *lock);
volatile int flags;
#define IRQ_OFF() do { __asm__ volatile("" ::: "memory"); flags = 1; } while (0)
#define IRQ_ON() (flags = 0)

void guards_by_kind(int *lock)
{
    {
        scoped(irq, lock);
        at(); /* in-out, out-out */
    }
    at();
    {
        scoped(mutex, lock);
        at();
    }
    at();
}

#define OFF_FOR(statement) do { IRQ_OFF(); statement; IRQ_ON(); } while (0)

void macros_without_calls(void) /* returns: in-in, out-in */
{
    IRQ_OFF();
    at(); /* in-out, out-out */
    IRQ_ON();
    at(); /* in-in, out-in */
    OFF_FOR(at();); /* in-out, out-out */
    at(); /* in-in, out-in */
}
