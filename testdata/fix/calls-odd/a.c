/* Calls inside of calls and macros, and calls that are not written as such. */
#include "co.h"
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CHECK(x) do { if (x) {} } while (0)
int coroutine_fn run(void);
int coroutine_fn run(void)
{
    int r = MAX(dev_read(1), 2);
    CHECK(dev_read(3));
    assert(dev_read(4));
    r += dev_read(dev_read(5));
    r += (dev_read)(6);
    r += (*dev_read)(7);
    int (*p)(int) = dev_read;
    r += p(8);
    return dev_read
        (9) + r;
}
