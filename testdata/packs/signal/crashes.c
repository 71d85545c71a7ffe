/* What a handler does before the program crashes is beside the point; what it does before the program ends in another
 * way is not. A function of the program is not the library's of that name. */
#include <signal.h>
#include <stdlib.h>
#include <syslog.h>

void _exit(int);
__attribute__((noreturn)) void bug(const char *text);
__attribute__((noreturn)) void fatal(const char *text);

static int leave_no_core;

void bug(const char *text)
{
    syslog(LOG_ERR, "%s", text);
    if (leave_no_core) {
        exit(1);
    }
    abort();
}

void fatal(const char *text)
{
    syslog(LOG_ERR, "%s", text);
    _exit(1);
}

/* Not that of the library. */
void regfree(void *entry)
{
    (void)entry;
}

static void check(int number)
{
    if (number > 64) {
        bug("no such signal");
    }
}

static void on_term(int number)
{
    check(number);
    regfree(NULL);
}

static void on_quit(int number)
{
    check(number);
    fatal("quit"); /* expect: error signal-unsafe-call: `fatal` called from signal handler `on_quit` leads to async-signal-unsafe `syslog` */
}

/* It crashes itself, or leaves the program in another way. */
static void on_bus(int number)
{
    if (number > 64) {
        syslog(LOG_ERR, "%d", number);
        abort();
    }
    syslog(LOG_ERR, "%d", number); /* expect: error signal-unsafe-call: async-signal-unsafe `syslog` called from signal handler `on_bus` */
    _exit(1);
}

int main(void)
{
    signal(SIGBUS, on_bus);
    signal(SIGTERM, on_term);
    signal(SIGQUIT, on_quit);
    return 0;
}
