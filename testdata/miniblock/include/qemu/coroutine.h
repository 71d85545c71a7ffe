/*
 * Coroutines: functions with a stack of their own, which suspend in
 * qemu_coroutine_yield() and go on when somebody enters them again.
 * Entering is for everybody; suspending is for coroutines.
 */
#ifndef QEMU_COROUTINE_H
#define QEMU_COROUTINE_H

typedef struct Coroutine Coroutine;

/* The typedef bears the mark, so every slot declared through it does. */
typedef void coroutine_fn CoroutineEntry(void *opaque);

Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque);
void qemu_coroutine_enter(Coroutine *co);
Coroutine *qemu_coroutine_self(void);
bool qemu_in_coroutine(void);
void coroutine_fn qemu_coroutine_yield(void);

/* A lock that suspends whoever has to wait for it. */
typedef struct CoMutex {
    bool locked;
    Coroutine *waiter;
} CoMutex;

void qemu_co_mutex_init(CoMutex *mutex);
void coroutine_fn qemu_co_mutex_lock(CoMutex *mutex);
void coroutine_fn qemu_co_mutex_unlock(CoMutex *mutex);

#endif
