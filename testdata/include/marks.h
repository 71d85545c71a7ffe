/* The marks alone, in the style of QEMU 8.0 and later. */
#ifndef FIXTURE_MARKS_H
#define FIXTURE_MARKS_H

/* Context marks: visible to clang, invisible to every other compiler. */
#ifdef __clang__
#define CO_ANNOTATE(text) __attribute__((annotate(text)))
#else
#define CO_ANNOTATE(text)
#endif

#ifdef __clang__
#define coroutine_fn CO_ANNOTATE("coroutine_fn")
#define coroutine_mixed_fn CO_ANNOTATE("coroutine_mixed_fn")
#define no_coroutine_fn CO_ANNOTATE("no_coroutine_fn")
#else
#define coroutine_fn
#define coroutine_mixed_fn
#define no_coroutine_fn
#endif

/* Wrapper marks: what they expand to does not tell one variant from another. */
#define co_wrapper                      no_coroutine_fn
#define co_wrapper_mixed                no_coroutine_fn coroutine_mixed_fn
#define co_wrapper_bdrv_rdlock          no_coroutine_fn
#define co_wrapper_mixed_bdrv_rdlock    no_coroutine_fn coroutine_mixed_fn
#define no_co_wrapper
#define no_co_wrapper_bdrv_rdlock
#define no_co_wrapper_bdrv_wrlock

/* Lock marks belong on the prototype alone. */
#define GRAPH_RDLOCK
#define GRAPH_WRLOCK
#define GRAPH_UNLOCKED

#endif
