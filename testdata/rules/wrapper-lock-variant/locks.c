/* A wrapper takes the lock that its target demands. */
#include "co.h"

int coroutine_fn GRAPH_RDLOCK disk_co_read(int sector);
int co_wrapper_bdrv_rdlock disk_read(int sector); /* near miss: the lock is taken */

int coroutine_fn GRAPH_RDLOCK disk_co_write(int sector);
int co_wrapper_mixed disk_write(int sector); /* expect: error wrapper-lock-variant: co_wrapper_mixed_bdrv_rdlock */

int coroutine_fn disk_co_trim(int sector);
int co_wrapper_mixed_bdrv_rdlock disk_trim(int sector); /* expect: warning wrapper-lock-variant: does not require */

int coroutine_fn disk_co_map(int sector);
int co_wrapper disk_map(int sector); /* near miss: no lock on either side */

int coroutine_fn GRAPH_RDLOCK disk_co_tag(int sector);
int co_wrapper GRAPH_RDLOCK disk_tag(int sector); /* near miss: the wrapper's caller holds the lock */

void GRAPH_WRLOCK disk_close(int sector);
void no_co_wrapper_bdrv_wrlock disk_co_close(int sector); /* near miss: the lock is taken */

void GRAPH_WRLOCK disk_reset(int sector);
void no_co_wrapper_bdrv_rdlock disk_co_reset(int sector); /* expect: error wrapper-lock-variant: no_co_wrapper_bdrv_wrlock */

void GRAPH_RDLOCK disk_probe(int sector);
void no_co_wrapper_bdrv_wrlock disk_co_probe(int sector); /* near miss: who may write may read */
