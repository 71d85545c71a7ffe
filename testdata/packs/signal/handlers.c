/* What is installed as a signal handler starts there: by its name, through a variable, and through a wrapper. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t seen;

static void report(int number)
{
    printf("signal %d\n", number);
}

static void on_alarm(int number)
{
    report(number); /* expect: error signal-unsafe-call: `report` called from signal handler `on_alarm` leads to async-signal-unsafe `printf` */
    seen = number;
}

static void on_hangup(int number)
{
    (void)number;
    free(NULL); /* expect: error signal-unsafe-call: async-signal-unsafe `free` called from signal handler `on_hangup` */
}

static void on_child(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
    report(SIGCHLD); /* expect: error signal-unsafe-call: `report` called from signal handler `on_child` leads to async-signal-unsafe `printf` */
}

/* Everything that it calls is safe. */
static void on_user(int number)
{
    seen = number;
    write(2, "\n", 1);
}

/* It is passed on as a number, and never installed. */
static void not_installed(int number)
{
    report(number);
}

static void install(int number, void (*handler)(int))
{
    struct sigaction action = { .sa_handler = handler };
    sigaction(number, &action, NULL);
}

int main(void)
{
    struct sigaction child = { .sa_flags = SA_SIGINFO };
    void (*handler)(int) = on_user;

    signal(SIGALRM, on_alarm);
    install(SIGHUP, on_hangup);
    child.sa_sigaction = on_child;
    sigaction(SIGCHLD, &child, NULL);
    signal(SIGUSR1, handler);
    signal(SIGPIPE, SIG_IGN);
    not_installed(3);
    report(2);
    return seen;
}
