/* The marks, as a tree defines them that no compiler plugin helps. */
#ifndef CO_H
#define CO_H
#define coroutine_fn
#define no_coroutine_fn
_Bool qemu_in_coroutine(void);
typedef void coroutine_fn CoroutineEntry(void *opaque);
#endif
