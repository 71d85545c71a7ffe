/* With the pack `signal`: a function that another one installs is an entry. */
#include <signal.h>

void work(void)
{
}

static void on_quit(int number)
{
    (void)number;
    work();
}

void leave(void)
{
    on_quit(0);
}

void install(void)
{
    signal(SIGQUIT, on_quit);
}
