/* A function that is unsafe itself, and handlers in a table. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void complain(int number)
{
    puts("signal"); /* expect: error signal-unsafe-call: async-signal-unsafe `puts` called from signal handler `complain` */
    _exit(number);
}

static void leave(int number)
{
    _exit(number);
}

static const struct {
    int number;
    void (*handler)(int);
} table[] = {
    { SIGINT, complain },
    { SIGTERM, leave },
};

int main(void)
{
    for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) {
        signal(table[i].number, table[i].handler);
    }
    signal(SIGHUP, exit); /* expect: error signal-unsafe-handler: async-signal-unsafe `exit` stored in parameter 2 of `signal`, which is called in a signal handler */
    signal(SIGUSR1, _exit);
    return 0;
}
