/* A handler calls the one that was installed before it: that one is reported itself, not each handler that may call it. */
#include <signal.h>
#include <stddef.h>
#include <syslog.h>

static struct sigaction saved;
static void (*helper)(void);

static void on_term(int number)
{
    syslog(LOG_ERR, "%d", number); /* expect: error signal-unsafe-call: async-signal-unsafe `syslog` called from signal handler `on_term` */
}

static void on_quit(int number)
{
    if (saved.sa_handler) {
        saved.sa_handler(number);
    }
}

static void help(void)
{
    syslog(LOG_ERR, "help");
}

/* A pointer that is no handler is followed. */
static void on_int(int number)
{
    (void)number;
    helper(); /* expect: warning signal-unsafe-call: call through `helper` from signal handler `on_int` may lead to async-signal-unsafe `syslog` */
}

int main(void)
{
    struct sigaction term = { .sa_handler = on_term }, quit = { .sa_handler = on_quit };
    helper = help;
    sigaction(SIGTERM, &term, NULL);
    sigaction(SIGQUIT, &quit, &saved);
    signal(SIGINT, on_int);
    return 0;
}
