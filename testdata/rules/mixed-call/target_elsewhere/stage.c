/* A unit that never sees lamp-int.h: the program knows the targets anyway. */
#include "lamp.h"

int coroutine_fn stage_co_fade(void)
{
    return lamp_dim(50); /* expect: warning mixed-call: lamp_co_dim */
}

int stage_fade(void)
{
    return lamp_blink(3); /* near miss: nobody knows what it is */
}
