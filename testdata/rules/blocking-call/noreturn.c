/* Functions that never return. */
#include "co.h"

/* It blocks again and again. */
_Noreturn static void works(void)
{
    for (;;) {
        block_leaf();
    }
}

void coroutine_fn runs_worker(void)
{
    works(); /* expect: error blocking-call: works */
}

/* It blocks, and then the program ends. */
_Noreturn static void dies(void)
{
    block_leaf();
    abort();
}

void coroutine_fn gives_up(bool failed)
{
    if (failed) {
        dies(); /* near miss: nobody waits for a program that ends */
    }
}

/* It waits, and then the program ends. */
_Noreturn static void serves(bool once)
{
    do {
        block_leaf();
    } while (!once);
    abort();
}

void coroutine_fn runs_server(void)
{
    serves(false); /* near miss: likewise */
}
