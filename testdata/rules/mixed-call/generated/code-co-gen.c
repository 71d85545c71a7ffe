/* Written by a generator, one may think: nobody can mark anything here. */
#include "co.h"

static int reads(int n)
{
    return dev_read(n); /* near miss: only a coroutine calls it, and nobody can mark it */
}

int coroutine_fn gen_co_reads(int n);
int coroutine_fn gen_co_reads(int n)
{
    return reads(n) + dev_read(n); /* expect: warning mixed-call: called from `coroutine_fn` `gen_co_reads` */
}
