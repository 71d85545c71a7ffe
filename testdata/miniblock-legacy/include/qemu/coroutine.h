/*
 * Coroutines, as the old tree has them.  Teaches that a mark no compiler can
 * see gets copied to the wrong place: qemu_coroutine_self() works anywhere.
 */
#ifndef QEMU_COROUTINE_H
#define QEMU_COROUTINE_H

/* Runs in a coroutine only.  A word for readers: it expands to nothing. */
#define coroutine_fn

typedef struct Coroutine Coroutine;

/* The typedef bears the mark, so every slot declared through it does. */
typedef void coroutine_fn CoroutineEntry(void *opaque);

Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque);
void qemu_coroutine_enter(Coroutine *co);
bool qemu_in_coroutine(void);
bool qemu_coroutine_is_self(const Coroutine *co);
Coroutine *coroutine_fn qemu_coroutine_self(void); /* expect: warning suspect-mark: qemu_coroutine_self */
void coroutine_fn qemu_coroutine_yield(void);

#endif
