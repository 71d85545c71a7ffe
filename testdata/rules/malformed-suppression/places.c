/* What a comment is about. */
#include "co.h"

int coroutine_fn disk_co_wait(int disk);
int coroutine_fn disk_co_wait(int disk)
{
    qemu_coroutine_yield();
    return disk;
}

int above(int disk)
{
    /* cowrap: allow(coroutine-call) above the line */
    disk_co_wait(disk);
    return disk_co_wait(disk); /* expect: error coroutine-call */
}

int above_a_statement(int disk)
{
    /* cowrap: allow(coroutine-call) above a statement of several lines */

    disk +=
        disk_co_wait(disk);
    return disk + disk_co_wait(disk); /* expect: error coroutine-call */
}

/*
 * cowrap: allow(coroutine-call) above the function, whose name
 * is not in its first line
 */
static int __attribute__((unused))
#ifdef NEVER
other_name(int disk)
#else
whole_function(int disk,
               int more)
#endif
{
    disk_co_wait(disk);
    return disk_co_wait(disk + more);
}

// cowrap: allow(coroutine-call) comments of the other
// kind go on in the next line
int whole_function_too(int disk)
{
    return disk_co_wait(disk);
}

int next_function(int disk)
{
    return disk_co_wait(disk); /* expect: error coroutine-call */
}

int other_rule(int disk)
{
    return disk_co_wait(disk); /* cowrap: allow(mixed-call) another matter */ /* expect: error coroutine-call */
}
