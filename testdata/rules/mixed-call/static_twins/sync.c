/* ... and anybody may call this one. */
#include "co.h"

static int fetch(int n)
{
    return dev_read(n); /* near miss: another function than the one of async.c */
}

int sync_run(int n);
int sync_run(int n)
{
    return fetch(n);
}
