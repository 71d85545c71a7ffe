/* Beside a flag that says that it runs outside of coroutines, nothing can be marked. */
#include "co.h"

typedef struct HMPCommand {
    const char *name;
    void (*cmd)(int n);
    bool coroutine;
} HMPCommand;

static void sync_command(int n)
{
    co_leaf();
}

static void async_command(int n)
{
    co_leaf();
}

HMPCommand commands[] = {
    { .name = "sync", .cmd = sync_command, .coroutine = false },
    { .name = "async", .cmd = async_command, .coroutine = true },
};

void handle(HMPCommand *command);
void handle(HMPCommand *command)
{
    command->cmd(1);
}

void coroutine_fn run(void);
void coroutine_fn run(void)
{
    sync_command(1);
}
