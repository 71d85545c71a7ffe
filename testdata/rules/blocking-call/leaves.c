/* What only precedes the end of the program blocks nobody. Leaving the frame or the thread is no end of it. */
#include "co.h"
#include <pthread.h>
#include <setjmp.h>

extern jmp_buf retry;
_Noreturn void cpu_loop_exit(void *cpu);
_Noreturn void cpu_abort(void *cpu);

static void gives_up(void)
{
    block_leaf();
    abort();
}

static void tries_again(void)
{
    block_leaf();
    longjmp(retry, 1);
}

static void ends_its_thread(void)
{
    block_leaf();
    pthread_exit(NULL);
}

static void leaves_the_loop(void)
{
    block_leaf();
    cpu_loop_exit(NULL);
}

static void ends_the_program(void)
{
    block_leaf();
    cpu_abort(NULL);
}

static void leaves_or_ends(bool again)
{
    block_leaf();
    if (again) {
        longjmp(retry, 1);
    }
    abort();
}

int coroutine_fn inside(int x)
{
    switch (x) {
    case 0:
        gives_up(); /* near miss: the program ends */
        break;
    case 1:
        tries_again(); /* expect: error blocking-call: tries_again */
        break;
    case 2:
        ends_its_thread(); /* expect: error blocking-call: ends_its_thread */
        break;
    case 3:
        leaves_the_loop(); /* expect: error blocking-call: leaves_the_loop */
        break;
    case 4:
        ends_the_program(); /* near miss: likewise */
        break;
    case 5:
        leaves_or_ends(plain_leaf()); /* expect: error blocking-call: leaves_or_ends */
        break;
    }
    return 0;
}
