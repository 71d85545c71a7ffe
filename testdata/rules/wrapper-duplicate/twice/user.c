#include "one.h"
#include "two.h"

int no_coroutine_fn user(void)
{
    return disk_read(1) + disk_map(2);
}
