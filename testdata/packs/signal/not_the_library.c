/* A function of the program with the name of the library's is another one: its body says what it does with a handler. */
#include <signal.h>
#include <stdlib.h>
#include <syslog.h>

/* Not that of the library. */
static void bsd_signal(int number, void (*done)(int))
{
    done(number);
}

static void done(int number)
{
    syslog(LOG_ERR, "%d", number);
}

static void on_term(int number)
{
    syslog(LOG_ERR, "%d", number); /* expect: error signal-unsafe-call: async-signal-unsafe `syslog` called from signal handler `on_term` */
}

/* It passes on to the library what it is passed. */
static void sysv_signal(int number, void (*handler)(int))
{
    signal(number, handler);
}

static void on_quit(int number)
{
    syslog(LOG_ERR, "%d", number); /* expect: error signal-unsafe-call: async-signal-unsafe `syslog` called from signal handler `on_quit` */
}

int main(void)
{
    bsd_signal(3, done);
    signal(SIGTERM, on_term);
    sysv_signal(SIGQUIT, on_quit);
    return 0;
}
