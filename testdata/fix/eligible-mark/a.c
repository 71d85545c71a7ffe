/* Asked for by name: what is only called in coroutines gets the mark. */
#include "co.h"

static int helper(int n)
{
    return n + 1;
}

/* Near misses: anybody may call the one, and nobody calls the other; and this is not what was asked for. */
int known_to_all(int n);
int known_to_all(int n)
{
    return n;
}

static int not_asked_for(void)
{
    return co_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return helper(1);
}

int anybody(void);
int anybody(void)
{
    return known_to_all(1) + not_asked_for();
}
