/*
 * The event loop of the old tree: bottom halves, and coroutines to enter.
 * Nothing here bears a mark, for there is no mark yet for "blocks".
 */
#ifndef BLOCK_AIO_H
#define BLOCK_AIO_H

#include "qemu/coroutine.h"

typedef void QEMUBHFunc(void *opaque);

void aio_bh_schedule_oneshot(QEMUBHFunc *cb, void *opaque);
void aio_co_schedule(Coroutine *co);
void aio_co_schedule_self(void);
void aio_co_wake(Coroutine *co);
void aio_wait_kick(void);
bool aio_poll(bool blocking);

#endif
