/*
 * The vocabulary of the single-file fixtures: every mark in the style of
 * QEMU 8.0 and later, the primitives of a coroutine library, and one leaf
 * function of each effect.  Nothing here has a body, so nothing here can be
 * proved to suspend or not to suspend.
 */
#ifndef FIXTURE_CO_H
#define FIXTURE_CO_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "marks.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* The coroutine library. */
typedef struct Coroutine Coroutine;
typedef void coroutine_fn CoroutineEntry(void *opaque);

bool qemu_in_coroutine(void);
void coroutine_fn qemu_coroutine_yield(void);
Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque);
void qemu_coroutine_enter(Coroutine *co);

/* One leaf of each effect. */
int coroutine_fn co_leaf(void);
int no_coroutine_fn block_leaf(void);
int coroutine_mixed_fn mixed_leaf(void);
int plain_leaf(void);

/* Targets and their wrappers. */
int coroutine_fn dev_co_read(int sector);
int co_wrapper_mixed dev_read(int sector);

int coroutine_fn GRAPH_RDLOCK dev_co_write(int sector);
int co_wrapper_mixed_bdrv_rdlock dev_write(int sector);

int coroutine_fn dev_co_flush(void);
int co_wrapper dev_flush(void);

int dev_open(void);
int coroutine_fn no_co_wrapper dev_co_open(void);

/* Ways not to come back. */
__attribute__((noreturn)) void die_gnu(void);
_Noreturn void die_c11(void);
__attribute__((noreturn)) void check_failed(const char *text, int line);

/* An assertion whose condition first becomes an int in a block of its own. */
#define TO_BOOL(expr)                           \
    __extension__ ({                            \
        int _b;                                 \
        if (expr)                               \
            _b = 1;                             \
        else                                    \
            _b = 0;                             \
        _b;                                     \
    })
#define G_LIKELY(expr)   __builtin_expect(TO_BOOL(expr), 1)
#define G_UNLIKELY(expr) __builtin_expect(TO_BOOL(expr), 0)
#define g_assert(expr)                          \
    do {                                        \
        if (G_LIKELY(expr))                     \
            ;                                   \
        else                                    \
            check_failed(#expr, __LINE__);      \
    } while (0)

#endif
