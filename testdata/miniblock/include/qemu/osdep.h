/*
 * What every file includes first: libc, and the marks that say in which
 * context a function may run.  clang sees a mark as an annotation, every
 * other compiler sees nothing; the rules hold either way.
 */
#ifndef QEMU_OSDEP_H
#define QEMU_OSDEP_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __clang__
#define MINI_ANNOTATE(text) __attribute__((annotate(text)))
#else
#define MINI_ANNOTATE(text)
#endif

/* Runs in a coroutine only: it may suspend its caller. */
#ifdef __clang__
#define coroutine_fn MINI_ANNOTATE("coroutine_fn")
#else
#define coroutine_fn
#endif

/* Runs in either context, and finds out by itself. */
#ifdef __clang__
#define coroutine_mixed_fn MINI_ANNOTATE("coroutine_mixed_fn")
#else
#define coroutine_mixed_fn
#endif

/* Runs outside of coroutines only: it may block the thread. */
#ifdef __clang__
#define no_coroutine_fn MINI_ANNOTATE("no_coroutine_fn")
#else
#define no_coroutine_fn
#endif

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define MINI_GLUE_(a, b) a##b
#define MINI_GLUE(a, b)  MINI_GLUE_(a, b)
#define MINI_UNUSED      __attribute__((unused))
#define ARRAY_LEN(a)     (sizeof(a) / sizeof((a)[0]))

/* The statement expression repeats neither operand when it runs. */
#define MINI_MIN(a, b)                  \
    ({                                  \
        typeof(a) _a = (a);             \
        typeof(b) _b = (b);             \
        _a < _b ? _a : _b;              \
    })

#endif
