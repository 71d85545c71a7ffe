/* The header of the prototype does not know the mark: it gets what defines it. */
#include <stddef.h>
#include "state.h"
#include "bare.h"
#include "co.h"

bool state_load(State *state)
{
    return co_leaf();
}

bool state_save(void)
{
    return co_leaf();
}

bool coroutine_fn run(void);
bool coroutine_fn run(void)
{
    return state_load(NULL) && state_save();
}
