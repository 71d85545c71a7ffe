/* Comments that take nothing away, and some that do. */
#include "co.h"

int coroutine_fn disk_co_wait(int disk);
int coroutine_fn disk_co_wait(int disk)
{
    qemu_coroutine_yield();
    return disk;
}

int fixed(int disk)
{
    return disk; /* cowrap: allow(coroutine-call) it used to wait */ /* expect: warning unused-suppression: `coroutine-call` */
}

int wrong_line(int disk)
{
    /* cowrap: allow(coroutine-call) it belongs one line down */ /* expect: warning unused-suppression */
    disk++;
    return disk_co_wait(disk); /* expect: error coroutine-call */
}

/* cowrap: allow(coroutine-call, mixed-call) only one of them is needed */ /* expect: warning unused-suppression: `mixed-call` */
int one_of_two(int disk)
{
    return disk_co_wait(disk);
}

int needed(int disk)
{
    return disk_co_wait(disk); /* cowrap: allow(coroutine-call) a test calls it, in a coroutine */
}

/* cowrap: allow(eligible-mark) a rule that does not run today */
int did_not_run(int disk)
{
    return disk;
}

/* cowrap: allow(coroutine-call) nothing follows */ /* expect: warning unused-suppression */
