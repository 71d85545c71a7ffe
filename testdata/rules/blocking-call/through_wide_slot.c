/* Slots that may hold many functions: a note; and one cause is told once, however many calls come to it. */
#include "co.h"

struct wide {
    void (*run)(void);
};

struct narrow {
    void (*stop)(void);
};

static void blocks(void)
{
    block_leaf(); /* near miss: who calls it is elsewhere */
}

static void a(void) { }
static void b(void) { }
static void c(void) { }
static void d(void) { }

const struct wide wide[] = { { a }, { b }, { c }, { d }, { blocks } };
const struct narrow narrow[] = { { a }, { blocks } };

static void run_wide(int number)
{
    wide[number].run();
}

void coroutine_fn co_wide(int number);
void coroutine_fn co_wide(int number)
{
    run_wide(number); /* expect: note blocking-call: candidates */
}

static void stop(int number)
{
    narrow[number].stop(); /* expect: warning blocking-call: 2 calls in coroutine context lead to it */
}

void coroutine_fn co_stop(int number);
void coroutine_fn co_stop(int number)
{
    stop(number); /* near miss: told where all of them lead */
}

void coroutine_fn co_stop_twice(int number);
void coroutine_fn co_stop_twice(int number)
{
    stop(number); /* near miss: likewise */
}

void no_coroutine_fn stop_outside(int number);
void no_coroutine_fn stop_outside(int number)
{
    stop(number);
}
