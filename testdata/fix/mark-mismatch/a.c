/* The mark of one declaration goes to all; where two contradict each other, nobody knows which is right. */
#include "co.h"

int coroutine_fn on_prototype(void);
int no_coroutine_fn on_definition(void);
int coroutine_fn contradicted(void);

int on_prototype(void)
{
    return co_leaf();
}

int on_definition(void);
int on_definition(void)
{
    return block_leaf();
}

int no_coroutine_fn contradicted(void)
{
    return 0;
}
