/* Locks of threads, as QEMU spells them: by functions, by macros that call through a pointer, and as guards. */
#include "co.h"

typedef struct QemuMutex { int value; } QemuMutex;
typedef struct CoMutex { int value; } CoMutex;
typedef struct Lockable { void *object; } Lockable;

typedef void (*MutexLockFunc)(QemuMutex *mutex, const char *file, int line);
extern MutexLockFunc mutex_lock_func;
void qemu_mutex_unlock_impl(QemuMutex *mutex, const char *file, int line);
#define qemu_mutex_lock(m) ({ MutexLockFunc f_ = mutex_lock_func; f_((m), __FILE__, __LINE__); })
#define qemu_mutex_unlock(m) qemu_mutex_unlock_impl((m), __FILE__, __LINE__)

void coroutine_fn qemu_co_mutex_lock(CoMutex *mutex);
void coroutine_fn qemu_co_mutex_unlock(CoMutex *mutex);
void coroutine_fn queue_wait(void *queue, void *lock);

void rcu_read_lock(void);
void rcu_read_unlock(void);

Lockable *lock_mutex(QemuMutex *mutex);
Lockable *lock_co_mutex(CoMutex *mutex);
void unlock(Lockable **lockable);
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define MAKE_LOCKABLE(x) _Generic((x), QemuMutex *: lock_mutex, CoMutex *: lock_co_mutex)(x)
#define QEMU_LOCK_GUARD(x) \
    __attribute__((cleanup(unlock), unused)) Lockable *JOIN(guard_, __LINE__) = MAKE_LOCKABLE(x)
#define WITH_QEMU_LOCK_GUARD(x)                                                             \
    for (__attribute__((cleanup(unlock))) Lockable *guard = MAKE_LOCKABLE(x); guard; guard = 0)

typedef struct Disk {
    QemuMutex lock;
    QemuMutex other;
    CoMutex co_lock;
    void *queue;
    int (*coroutine_fn read)(void);
    int (*plain)(void);
} Disk;

/* --- by hand -------------------------------------------------------------------------------------------------------- */

void coroutine_fn held(Disk *disk);
void coroutine_fn held(Disk *disk)
{
    co_leaf(); /* near miss: before */
    qemu_mutex_lock(&disk->lock);
    plain_leaf(); /* near miss: it bears no mark */
    co_leaf(); /* expect: warning lock-across-yield: call of `co_leaf` may suspend while `held` holds a thread lock (QemuMutex) */
    co_leaf(); /* near miss: the same finding */
    qemu_mutex_unlock(&disk->lock);
    co_leaf(); /* near miss: behind */
}

void coroutine_fn through_a_slot(Disk *disk);
void coroutine_fn through_a_slot(Disk *disk)
{
    rcu_read_lock();
    disk->plain(); /* near miss: nobody says that it suspends */
    disk->read(); /* expect: warning lock-across-yield: holds a thread lock (RCU read lock) */
    rcu_read_unlock();
}

void coroutine_fn co_lock(Disk *disk);
void coroutine_fn co_lock(Disk *disk)
{
    qemu_co_mutex_lock(&disk->co_lock);
    co_leaf(); /* near miss: the lock belongs to the coroutine */
    qemu_co_mutex_unlock(&disk->co_lock);
}

void coroutine_fn in_one_branch(Disk *disk, bool lock);
void coroutine_fn in_one_branch(Disk *disk, bool lock)
{
    if (lock) {
        qemu_mutex_lock(&disk->lock);
    }
    co_leaf(); /* near miss: not on every path */
    if (lock) {
        qemu_mutex_unlock(&disk->lock);
    }
}

void coroutine_fn released_early(Disk *disk, bool early);
void coroutine_fn released_early(Disk *disk, bool early)
{
    qemu_mutex_lock(&disk->lock);
    if (early) {
        qemu_mutex_unlock(&disk->lock);
        co_leaf(); /* near miss: released */
        return;
    }
    co_leaf(); /* expect: warning lock-across-yield: lock taken here (QemuMutex) */
    qemu_mutex_unlock(&disk->lock);
}

void coroutine_fn released_in_turns(Disk *disk, int n);
void coroutine_fn released_in_turns(Disk *disk, int n)
{
    qemu_mutex_lock(&disk->lock);
    while (n--) {
        qemu_mutex_unlock(&disk->lock);
        co_leaf(); /* near miss: released */
        qemu_mutex_lock(&disk->lock);
    }
    qemu_mutex_unlock(&disk->lock);
}

void coroutine_fn by_a_goto(Disk *disk, int n);
void coroutine_fn by_a_goto(Disk *disk, int n)
{
    qemu_mutex_lock(&disk->lock);
    if (n) {
        goto out;
    }
    qemu_mutex_unlock(&disk->lock);
    return;
out:
    co_leaf(); /* expect: warning lock-across-yield: `by_a_goto` holds */
    qemu_mutex_unlock(&disk->lock);
}

void coroutine_fn by_two_gotos(Disk *disk, int n);
void coroutine_fn by_two_gotos(Disk *disk, int n)
{
    if (!n) {
        goto out;
    }
    qemu_mutex_lock(&disk->lock);
    if (n > 1) {
        goto out;
    }
    qemu_mutex_unlock(&disk->lock);
    return;
out:
    co_leaf(); /* near miss: one of the jumps holds nothing */
}

void coroutine_fn out_of_a_guarded_block(Disk *disk, int n, int m);
void coroutine_fn out_of_a_guarded_block(Disk *disk, int n, int m)
{
    {
        QEMU_LOCK_GUARD(&disk->lock);
        if (n) {
            goto out;
        }
        if (m) {
            goto inside;
        }
        return;
inside:
        co_leaf(); /* expect: warning lock-across-yield: `out_of_a_guarded_block` holds */
    }
out:
    co_leaf(); /* near miss: the guard ended with its block */
}

void coroutine_fn two_locks(Disk *disk);
void coroutine_fn two_locks(Disk *disk)
{
    qemu_mutex_lock(&disk->lock);
    qemu_mutex_lock(&disk->other);
    qemu_mutex_unlock(&disk->lock);
    co_leaf(); /* expect: warning lock-across-yield */
    qemu_mutex_unlock(&disk->other);
}

void coroutine_fn by_another_name(Disk *disk);
void coroutine_fn by_another_name(Disk *disk)
{
    QemuMutex *lock = &disk->lock;

    qemu_mutex_lock(&disk->lock);
    qemu_mutex_unlock(lock);
    co_leaf(); /* near miss: it may be the same lock */
}

static void release(Disk *disk)
{
    qemu_mutex_unlock(&disk->lock);
}

void coroutine_fn by_a_helper(Disk *disk);
void coroutine_fn by_a_helper(Disk *disk)
{
    qemu_mutex_lock(&disk->lock);
    release(disk);
    co_leaf(); /* near miss: the helper released it */
}

static void balanced(Disk *disk)
{
    qemu_mutex_lock(&disk->other);
    qemu_mutex_unlock(&disk->other);
}

void coroutine_fn by_a_balanced_helper(Disk *disk);
void coroutine_fn by_a_balanced_helper(Disk *disk)
{
    qemu_mutex_lock(&disk->lock);
    balanced(disk);
    co_leaf(); /* expect: warning lock-across-yield */
    qemu_mutex_unlock(&disk->lock);
}

void coroutine_fn given_the_lock(Disk *disk);
void coroutine_fn given_the_lock(Disk *disk)
{
    qemu_mutex_lock(&disk->lock);
    queue_wait(disk->queue, &disk->lock); /* near miss: it releases what it is given */
    qemu_mutex_unlock(&disk->lock);
}

static int coroutine_fn never_suspends(void)
{
    return 0;
}

void coroutine_fn calls_what_never_suspends(Disk *disk);
void coroutine_fn calls_what_never_suspends(Disk *disk)
{
    qemu_mutex_lock(&disk->lock);
    never_suspends(); /* near miss */
    qemu_mutex_unlock(&disk->lock);
}

void coroutine_mixed_fn guarded(Disk *disk);
void coroutine_mixed_fn guarded(Disk *disk)
{
    qemu_mutex_lock(&disk->lock);
    if (qemu_in_coroutine()) {
        co_leaf(); /* expect: warning lock-across-yield */
    }
    qemu_mutex_unlock(&disk->lock);
}

/* --- guards --------------------------------------------------------------------------------------------------------- */

void coroutine_fn by_a_guard(Disk *disk);
void coroutine_fn by_a_guard(Disk *disk)
{
    {
        QEMU_LOCK_GUARD(&disk->lock);
        co_leaf(); /* expect: warning lock-across-yield: lock taken here (QemuMutex) */
    }
    co_leaf(); /* near miss: behind its block */
}

void coroutine_fn by_a_guard_of_coroutines(Disk *disk);
void coroutine_fn by_a_guard_of_coroutines(Disk *disk)
{
    QEMU_LOCK_GUARD(&disk->co_lock);
    co_leaf(); /* near miss: the type of the argument says so */
}

void coroutine_fn with_a_guard(Disk *disk);
void coroutine_fn with_a_guard(Disk *disk)
{
    WITH_QEMU_LOCK_GUARD(&disk->lock) {
        co_leaf(); /* expect: warning lock-across-yield */
    }
    co_leaf(); /* near miss: behind its loop */
}

void coroutine_fn with_a_guard_of_coroutines(Disk *disk);
void coroutine_fn with_a_guard_of_coroutines(Disk *disk)
{
    WITH_QEMU_LOCK_GUARD(&disk->co_lock) {
        co_leaf(); /* near miss */
    }
}
