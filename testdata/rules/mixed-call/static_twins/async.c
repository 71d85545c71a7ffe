/* Only a coroutine calls this fetch() ... */
#include "co.h"

static int fetch(int n)
{
    return dev_read(n); /* expect: warning mixed-call: called from unmarked `fetch` */
}

int coroutine_fn async_co_run(int n);
int coroutine_fn async_co_run(int n)
{
    return fetch(n);
}
