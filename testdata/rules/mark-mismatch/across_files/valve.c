/* One definition lost its mark, one prototype did, one pair contradicts. */
#include "valve.h"

int valve_co_open(void) /* expect: warning mark-mismatch: valve_co_open */
{
    return co_leaf();
}

int coroutine_fn valve_co_close(void)
{
    return co_leaf();
}

int coroutine_fn valve_co_turn(void)
{
    return valve_co_open() + valve_co_close(); /* near miss: marks add up over the program */
}

int no_coroutine_fn valve_reset(void) /* expect: error mark-mismatch: valve_reset */
{
    return plain_leaf();
}
