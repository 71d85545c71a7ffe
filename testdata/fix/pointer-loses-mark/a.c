/* A slot for coroutine only functions says so; unless it is called outside, too. */
#include "co.h"

typedef struct Ops {
    int (*read)(int sector);
    int (*write)(int sector);
} Ops;

Ops ops = { .read = dev_co_read, .write = dev_co_write };

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return ops.read(1) + ops.write(1);
}

int no_coroutine_fn outside(void);
int no_coroutine_fn outside(void)
{
    return ops.write(1);
}
