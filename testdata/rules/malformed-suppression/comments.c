/* Comments for cowrap that say too little, and some that do not. */
#include "co.h"

int coroutine_fn disk_co_wait(int disk);
int coroutine_fn disk_co_wait(int disk)
{
    qemu_coroutine_yield();
    return disk;
}

int no_reason(int disk)
{
    return disk_co_wait(disk); /* cowrap: allow(coroutine-call) */ /* expect: error malformed-suppression: without a reason */
}

int no_such_rule(int disk)
{
    return disk_co_wait(disk); /* cowrap: allow(corutine-call) it is fine */ /* expect: error malformed-suppression: did you mean `coroutine-call`? */ /* expect: error coroutine-call */
}

int nothing_like_it(int disk)
{
    return disk_co_wait(disk); /* cowrap: allow(zzz) it is fine */ /* expect: error malformed-suppression: `cowrap rules` lists all rules */ /* expect: error coroutine-call */
}

int one_of_two(int disk)
{
    return disk_co_wait(disk); /* cowrap: allow(coroutine-call, zzz) it is fine */ /* expect: error malformed-suppression: `zzz` */
}

int another_word(int disk)
{
    return disk_co_wait(disk); /* cowrap: ignore */ /* expect: error malformed-suppression: is not a valid suppression */ /* expect: error coroutine-call */
}

int good(int disk)
{
    return disk_co_wait(disk); /* cowrap: allow(coroutine-call) a test calls it, in a coroutine */
}

int not_for_cowrap(int disk)
{
    return disk_co_wait(disk); /* see cowrap: allow(coroutine-call) */ /* expect: error coroutine-call */
}

const char *a_string = "cowrap: allow(coroutine-call)";
