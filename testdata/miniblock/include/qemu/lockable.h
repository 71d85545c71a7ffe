/*
 * One guard for two kinds of lock.  _Generic picks the kind by the type of
 * its argument, so the arm for CoMutex is written down in every use of the
 * guard and taken in few of them.
 */
#ifndef QEMU_LOCKABLE_H
#define QEMU_LOCKABLE_H

#include "qemu/coroutine.h"

typedef struct QemuMutex {
    int depth;
} QemuMutex;

static inline void qemu_mutex_lock(QemuMutex *mutex)
{
    mutex->depth++;
}

static inline void qemu_mutex_unlock(QemuMutex *mutex)
{
    mutex->depth--;
}

typedef struct QemuLockable {
    void *object;
    void (*lock)(void *object);
    void (*unlock)(void *object);
} QemuLockable;

static inline void qemu_lockable_mutex_lock(void *object)
{
    qemu_mutex_lock(object);
}

static inline void qemu_lockable_mutex_unlock(void *object)
{
    qemu_mutex_unlock(object);
}

/* Outside of coroutines nobody can hold a CoMutex while this runs. */
static inline void qemu_lockable_co_mutex_lock(void *object)
{
    if (qemu_in_coroutine()) {
        qemu_co_mutex_lock(object); /* near miss: guarded */
    }
}

static inline void qemu_lockable_co_mutex_unlock(void *object)
{
    if (!qemu_in_coroutine()) {
        return;
    }
    qemu_co_mutex_unlock(object); /* near miss: guarded by the return above */
}

#define MINI_LOCKABLE_(x, kind)                         \
    (&(QemuLockable) {                                  \
        .object = (x),                                  \
        .lock = qemu_lockable_##kind##_lock,            \
        .unlock = qemu_lockable_##kind##_unlock,        \
    })

#define QEMU_MAKE_LOCKABLE(x)                           \
    _Generic((x),                                       \
             QemuLockable *: (x),                       \
             QemuMutex *: MINI_LOCKABLE_(x, mutex),     \
             CoMutex *: MINI_LOCKABLE_(x, co_mutex))

static inline QemuLockable *qemu_lockable_auto_lock(QemuLockable *lockable)
{
    lockable->lock(lockable->object);
    return lockable;
}

static inline void qemu_lockable_auto_unlock(QemuLockable **lockable)
{
    (*lockable)->unlock((*lockable)->object);
}

/* Holds the lock until the end of the enclosing scope. */
#define QEMU_LOCK_GUARD(x)                                              \
    QemuLockable *MINI_GLUE(mini_lock_guard_, __COUNTER__) MINI_UNUSED  \
        __attribute__((cleanup(qemu_lockable_auto_unlock))) =           \
            qemu_lockable_auto_lock(QEMU_MAKE_LOCKABLE(x))

#endif
