/* Prototypes that are repeated all get the mark. */
#include "co.h"
#include "one.h"
#include "two.h"

int f(void);
extern int f(void);
int coroutine_fn run(void);

int f(void)
{
    return co_leaf();
}

int coroutine_fn run(void)
{
    int f(void);

    return f();
}
