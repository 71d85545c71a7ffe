/* What a macro writes cannot be marked; what stands beside it can. */
#include "co.h"

#define DEFINE_GETTER(name) \
    static int get_##name(void) \
    { \
        return co_leaf(); \
    }

#define FUNCTION(name) static int name(void)
#define ASYNC coroutine_fn

DEFINE_GETTER(a)

FUNCTION(argument)
{
    return co_leaf();
}

static int ASYNC marked_by_another_name(void)
{
    return co_leaf();
}

static int plain(void)
{
    return co_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return get_a() + argument() + marked_by_another_name() + plain();
}
