/* Only sees the header: the mark on the definition counts all the same. */
#include "valve.h"

int coroutine_fn user_co_run(void)
{
    return valve_co_open() + valve_co_close() + valve_co_turn(); /* near miss: marked */
}

int user_run(void)
{
    return valve_co_close(); /* expect: error coroutine-call: valve_co_close */
}
