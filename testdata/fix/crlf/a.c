/* Lines end as they did. */
#include "co.h"

static int
f(int a,
  int b)
{
    return co_leaf();
}

static int g(int a, int b, int number_of_the_first_sector, int number_of_bytes)
{
    return f(a,
             b);
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return g(1, 2, 3, 4);
}
