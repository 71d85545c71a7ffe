/* Twenty calls in one function that lacks one mark: one finding. */
#include "co.h"

int twenty(void)
{
    int r = 0;

    r += dev_co_read(1); /* expect: error coroutine-call: dev_co_read */
    r += dev_co_read(2);
    r += dev_co_read(3);
    r += dev_co_read(4);
    r += dev_co_read(5);
    r += dev_co_read(6);
    r += dev_co_read(7);
    r += dev_co_read(8);
    r += dev_co_read(9);
    r += dev_co_read(10);
    r += dev_co_read(11);
    r += dev_co_read(12);
    r += dev_co_read(13);
    r += dev_co_read(14);
    r += dev_co_read(15);
    r += dev_co_read(16);
    r += dev_co_read(17);
    r += dev_co_read(18);
    r += dev_co_read(19);
    r += dev_co_read(20);
    return r; /* near miss: nineteen calls that the same mark would cure */
}

int coroutine_fn two(void)
{
    return dev_co_read(1) + dev_co_read(2); /* near miss: marked */
}
