/* The graph's lock. */
#ifndef BLOCK_GRAPH_LOCK_H
#define BLOCK_GRAPH_LOCK_H

#include "block/aio.h"

void coroutine_fn bdrv_graph_co_rdlock(void);
void coroutine_fn bdrv_graph_co_rdunlock(void);
void bdrv_graph_rdlock_main_loop(void);
void bdrv_graph_rdunlock_main_loop(void);
void bdrv_graph_wrlock(void);
void bdrv_graph_wrunlock(void);
void assume_graph_lock(void);

#endif
