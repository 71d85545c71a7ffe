/* A flag beside a slot says where what is stored there runs. */
#include "co.h"

typedef struct HMPCommand {
    const char *name;
    void (*cmd)(void);
    bool coroutine;
} HMPCommand;

static void in_coroutine(void)
{
    block_leaf(); /* expect: error blocking-call: (stored in a coroutine-only slot) */
}

static void outside(void)
{
    block_leaf(); /* near miss: its flag is not set */
}

static void both(void)
{
    block_leaf(); /* near miss: one of its flags is not set, and nothing says what it is for */
}

static void unknown(void)
{
    block_leaf(); /* near miss: nobody knows its flag */
}

static void helper(void)
{
    block_leaf(); /* near miss: who calls it is elsewhere */
}

static void through_helper(void)
{
    helper(); /* expect: error blocking-call: leads to `no_coroutine_fn` `block_leaf` */
}

static const HMPCommand commands[] = {
    { "in", in_coroutine, true },
    { "out", outside, false },
    { "once", both, true },
    { "twice", both, false },
    { "through", through_helper, true },
};

static void run(const HMPCommand *command)
{
    command->cmd(); /* near miss: it holds `outside`, but not in a coroutine */
}

void coroutine_fn run_in_coroutine(int number);
void coroutine_fn run_in_coroutine(int number)
{
    run(&commands[number]); /* expect: warning blocking-call: may lead to `no_coroutine_fn` `block_leaf` */
}

void run_local(bool coroutine);
void run_local(bool coroutine)
{
    HMPCommand command = { "unknown", unknown, coroutine };

    run(&command);
}

void no_coroutine_fn run_outside(int number);
void no_coroutine_fn run_outside(int number)
{
    run(&commands[number]);
}
