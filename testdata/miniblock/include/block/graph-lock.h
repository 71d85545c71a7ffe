/*
 * The lock on the graph of nodes.  Coroutines read under bdrv_graph_co_rdlock;
 * the main loop writes under bdrv_graph_wrlock, which waits for all readers
 * and therefore must never be taken in a coroutine.
 */
#ifndef BLOCK_GRAPH_LOCK_H
#define BLOCK_GRAPH_LOCK_H

#include "qemu/coroutine.h"

#ifdef __clang__
#define MINI_TSA(x) __attribute__((x))
#else
#define MINI_TSA(x)
#endif

typedef struct MINI_TSA(capability("mutex")) BdrvGraphLock {
    int readers;
} BdrvGraphLock;

extern BdrvGraphLock graph_lock;

/* Lock marks stand on the prototype alone. */
#define GRAPH_WRLOCK      MINI_TSA(requires_capability(graph_lock))
#define GRAPH_RDLOCK      MINI_TSA(requires_shared_capability(graph_lock))
#define GRAPH_UNLOCKED    MINI_TSA(locks_excluded(graph_lock))
#define GRAPH_RDLOCK_PTR  MINI_TSA(guarded_by(graph_lock))

#define MINI_NO_TSA       MINI_TSA(no_thread_safety_analysis)
#define MINI_TAKES_WR     \
    MINI_TSA(acquire_capability(graph_lock)) MINI_NO_TSA
#define MINI_DROPS_WR     \
    MINI_TSA(release_capability(graph_lock)) MINI_NO_TSA
#define MINI_TAKES_RD     \
    MINI_TSA(acquire_shared_capability(graph_lock)) MINI_NO_TSA
#define MINI_DROPS_RD     \
    MINI_TSA(release_shared_capability(graph_lock)) MINI_NO_TSA

void no_coroutine_fn MINI_TAKES_WR bdrv_graph_wrlock(void);
void no_coroutine_fn MINI_DROPS_WR bdrv_graph_wrunlock(void);

void coroutine_fn MINI_TAKES_RD bdrv_graph_co_rdlock(void);
void coroutine_fn MINI_DROPS_RD bdrv_graph_co_rdunlock(void);

/* For the main loop; only an assert in the definition says so. */
void MINI_TAKES_RD bdrv_graph_rdlock_main_loop(void);
void MINI_DROPS_RD bdrv_graph_rdunlock_main_loop(void);

static inline void MINI_TSA(assert_shared_capability(graph_lock))
assume_graph_lock(void)
{
}

typedef struct GraphLockable {
    char unused;
} GraphLockable;

static inline GraphLockable *coroutine_fn MINI_TAKES_RD
graph_lockable_auto_lock(GraphLockable *lockable)
{
    bdrv_graph_co_rdlock(); /* near miss: marked */
    return lockable;
}

static inline void coroutine_fn MINI_DROPS_RD
graph_lockable_auto_unlock(GraphLockable **lockable)
{
    bdrv_graph_co_rdunlock(); /* near miss: marked */
}

/* Reads the graph until the end of the enclosing scope. */
#define GRAPH_RDLOCK_GUARD()                                            \
    GraphLockable *MINI_GLUE(mini_graph_guard_, __COUNTER__) MINI_UNUSED \
        __attribute__((cleanup(graph_lockable_auto_unlock))) =          \
            graph_lockable_auto_lock(&(GraphLockable) { 0 })

#endif
