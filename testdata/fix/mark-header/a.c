/* The only caller is marked: so is what it calls, wherever it is declared. */
#include "f.h"

int coroutine_fn run(void);

int f(int sector)
{
    return dev_co_read(sector);
}

/* Near miss: it is called by something that may run anywhere. */
int only_here(void)
{
    return co_leaf();
}

int coroutine_fn run(void)
{
    return f(1) + only_here();
}

int anybody(void);
int anybody(void)
{
    return only_here();
}
