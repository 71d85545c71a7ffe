/* In a coroutine, what a wrapper without a lock wraps can be called instead. */
#include "co.h"

int coroutine_fn dev_co_trim(long sector);
int co_wrapper_mixed dev_trim(int sector);
int co_wrapper_mixed dev_zero(int sector);
int coroutine_fn GRAPH_RDLOCK dev_co_zero(int sector);

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    int result = dev_read(1);

    /* Near misses: a lock, a lock of the target alone, and another type. */
    result += dev_write(2);
    result += dev_zero(3);
    result += dev_trim(4);
    return result;
}

/* Near miss: here it is not known to be a coroutine. */
int coroutine_mixed_fn either(void);
int coroutine_mixed_fn either(void)
{
    return dev_read(1);
}

/* Near miss: somebody calls it outside, so it may need the wrapper. */
int coroutine_fn below(void);
int coroutine_fn contested(void);
int coroutine_fn contested(void)
{
    return dev_read(1) + below();
}

/* Near miss: what calls it may be outside; it is offered, and not safe. */
int coroutine_fn below(void)
{
    return dev_read(1);
}

int no_coroutine_fn outside(void);
int no_coroutine_fn outside(void)
{
    return contested();
}
