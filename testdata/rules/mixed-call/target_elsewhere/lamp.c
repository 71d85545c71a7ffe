/* The unit that defines the targets. */
#include "lamp-int.h"

int coroutine_fn lamp_co_dim(int percent)
{
    return co_leaf() + percent; /* near miss: marked */
}

int coroutine_fn lamp_co_blink(int times)
{
    return lamp_co_dim(times); /* near miss: the target */
}
