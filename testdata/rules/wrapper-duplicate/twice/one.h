#include "co.h"

int coroutine_fn disk_co_read(int sector);
int co_wrapper disk_read(int sector);

int coroutine_fn disk_co_map(int sector);
int co_wrapper disk_map(int sector); /* near miss: asked for once */
