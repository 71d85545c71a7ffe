/* A handler that the program calls as well runs in both contexts: what is wrong in it is wrong, and its callers owe
 * nothing. */
#include <signal.h>
#include <stdlib.h>

void free(void *);

static void forget(void)
{
    free(NULL);
}

static void on_quit(int number)
{
    (void)number;
    forget(); /* expect: error signal-unsafe-call: `forget` called from signal handler `on_quit` leads to async-signal-unsafe `free` */
    free(NULL); /* expect: error signal-unsafe-call: async-signal-unsafe `free` called from signal handler `on_quit` */
}

/* Only the handler calls it: it is reported there. */
static void helper(void)
{
    free(NULL);
}

static void on_term(int number)
{
    (void)number;
    helper(); /* expect: error signal-unsafe-call: `helper` called from signal handler `on_term` leads to async-signal-unsafe `free` */
}

static void leave(void)
{
    on_quit(0);
    free(NULL);
}

int main(void)
{
    signal(SIGQUIT, on_quit);
    signal(SIGTERM, on_term);
    leave();
    return 0;
}
