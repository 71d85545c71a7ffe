/* The further marks of the pack qemu-next. */
#ifndef BLOCK_COROUTINES_H
#define BLOCK_COROUTINES_H

#include "block/graph-lock.h"

#define no_co_wrapper_mixed
#define no_co_wrapper_mixed_bdrv_rdlock
#define no_co_wrapper_mixed_bdrv_wrlock
#define no_co_wrapper_current
#define no_co_wrapper_iohandler
#define no_co_wrapper_mixed_current
#define no_co_wrapper_mixed_iohandler

int virtio_set_features(int features);
int no_co_wrapper_mixed_current virtio_co_set_features(int features);

void xen_invalidate(int entry);
void no_co_wrapper_mixed xen_co_invalidate(int entry);

int snapshot_save(const char *name);
int no_co_wrapper_current snapshot_co_save(const char *name);

int qmp_run(const char *name);
int no_co_wrapper_iohandler qmp_co_run(const char *name);

int monitor_run(const char *name);
int no_co_wrapper_mixed_iohandler monitor_co_run(const char *name);

int GRAPH_RDLOCK bdrv_count(int x);
int no_co_wrapper_mixed_bdrv_rdlock bdrv_co_count(int x);

void GRAPH_WRLOCK bdrv_detach(int x);
void no_co_wrapper_mixed_bdrv_wrlock bdrv_co_detach(int x);

#endif
