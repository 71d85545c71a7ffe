/* What a handler passes decides what runs: a constant, a bit among flags that others pass on, and the number of the
 * signal, which is never 0. */
#include <signal.h>
#include <stdlib.h>

enum { IN_SIGNAL = 4, QUIET = 1 };

void free(void *);
void _exit(int);

static void *junk;

static void forget(int in_signal)
{
    if (!in_signal) {
        free(junk);
    }
}

/* The test is two calls away, of one bit, behind a local variable. */
static void release(unsigned int flags)
{
    int in_signal = !!(flags & IN_SIGNAL);

    if (!in_signal) {
        free(junk);
    }
}

static void pass_on(unsigned int flags)
{
    release(flags);
}

/* It changes what it passes on. */
static void pass_on_less(unsigned int flags)
{
    flags &= ~IN_SIGNAL;
    release(flags);
}

/* Copies of the parameter that do not change. */
static void clean(_Bool in_signal)
{
    _Bool quiet = in_signal;
    int still = quiet;

    if (!still) {
        free(junk);
    }
}

static void clean_number(int in_signal)
{
    int sure = in_signal;

    if (sure) {
        return;
    }
    free(junk);
}

/* It changes its copy. */
static void clean_late(int in_signal)
{
    int sure = in_signal;

    sure = junk != 0;
    if (sure) {
        return;
    }
    free(junk);
}

static void on_hup(int number)
{
    (void)number;
    clean(1);
    clean_number(1);
    clean(0); /* expect: error signal-unsafe-call: `clean` called from signal handler `on_hup` leads to async-signal-unsafe `free` */
    clean_late(1); /* expect: error signal-unsafe-call: `clean_late` called from signal handler `on_hup` leads to async-signal-unsafe `free` */
}

static void on_term(int number)
{
    (void)number;
    forget(1);
    pass_on(IN_SIGNAL);
    pass_on(IN_SIGNAL | QUIET);
}

static void on_quit(int number)
{
    (void)number;
    forget(0); /* expect: error signal-unsafe-call: `forget` called from signal handler `on_quit` leads to async-signal-unsafe `free` */
    pass_on(QUIET); /* expect: error signal-unsafe-call: `pass_on` called from signal handler `on_quit` leads to async-signal-unsafe `free` */
    pass_on_less(IN_SIGNAL); /* expect: error signal-unsafe-call: `pass_on_less` called from signal handler `on_quit` leads to async-signal-unsafe `free` */
}

/* The program calls it with 0. */
static void leave(int number)
{
    if (number) {
        _exit(1);
    }
    exit(1);
}

static void leave_anyway(int number)
{
    if (number == SIGHUP) {
        _exit(1);
    }
    exit(1); /* expect: error signal-unsafe-call: async-signal-unsafe `exit` called from signal handler `leave_anyway` */
}

/* All that call it pass 0, and no handler does. */
void delete_item(void *item, int free_it)
{
    if (free_it) {
        free(item);
    }
}

int main(void)
{
    delete_item(junk, 0);
    signal(SIGTERM, on_term);
    signal(SIGQUIT, on_quit);
    signal(SIGINT, leave);
    signal(SIGHUP, leave_anyway);
    signal(SIGHUP, on_hup);
    clean(0);
    leave(0);
    return 0;
}
