/* Only what is compiled is seen: of two alternatives the other stays as it is. */
#include "co.h"

#ifdef NOT_DEFINED
int f(char other);
#else
int f(int this_one);
#endif

#ifndef NOT_DEFINED
int f(int this_one)
{
    return co_leaf();
}
#else
int f(char other)
{
    return co_leaf();
}
#endif

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return f(1);
}
