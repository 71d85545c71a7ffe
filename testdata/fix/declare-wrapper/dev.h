#include "co.h"

/* Trims. */
int coroutine_fn dev_co_trim(int sector,
                             int count);
int coroutine_fn GRAPH_RDLOCK dev_co_zero(int sector);
int coroutine_fn trim_without_infix(int sector);
