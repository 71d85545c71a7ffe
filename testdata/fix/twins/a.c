/* Two static functions of one name: that one cannot be marked says nothing of the other. */
#include "co.h"

#define DEFINE_STEP(name) static int name(void) { return co_leaf(); }

DEFINE_STEP(step)

int coroutine_fn run_a(void);
int coroutine_fn run_a(void)
{
    return step();
}
