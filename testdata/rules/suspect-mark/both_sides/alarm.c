/* Five callers of one, and one of the other. */
#include "clock.h"

int alarm_one(void)
{
    return clock_now(); /* near miss: the suspect is the mark */
}

int alarm_two(void)
{
    return clock_now(); /* near miss: the suspect is the mark */
}

int alarm_three(void)
{
    return clock_now(); /* near miss: the suspect is the mark */
}

int alarm_four(void)
{
    return clock_now(); /* near miss: the suspect is the mark */
}

int alarm_five(void)
{
    return clock_now(); /* near miss: the suspect is the mark */
}

int alarm_sleep(void)
{
    return clock_co_sleep(); /* expect: error coroutine-call: clock_co_sleep */
}
