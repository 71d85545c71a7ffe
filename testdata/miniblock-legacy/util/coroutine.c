/*
 * Coroutines by switching stacks.  coroutine_trampoline() bears no mark, yet
 * everything below it runs in a coroutine: the pack names it as a root.
 */
#include "qemu/osdep.h"
#include "qemu/coroutine.h"

#define COROUTINE_STACK_WORDS 8192
#define SAVED_REGISTERS 6

struct Coroutine {
    CoroutineEntry *entry;
    void *entry_arg;
    Coroutine *caller;
    void *stack_pointer;
    bool finished;
    uintptr_t stack[COROUTINE_STACK_WORDS] __attribute__((aligned(16)));
};

void mini_switch_stack(void **save, void *load);

static Coroutine leader;
static Coroutine *current;

static void coroutine_switch(Coroutine *from, Coroutine *to)
{
    current = to;
    mini_switch_stack(&from->stack_pointer, to->stack_pointer);
}

static void coroutine_trampoline(void)
{
    Coroutine *co = current;

    co->entry(co->entry_arg); /* near miss: this is the root of every coroutine */
    co->finished = true;
    coroutine_switch(co, co->caller);
    abort();
}

Coroutine *coroutine_fn qemu_coroutine_self(void)
{
    return current ? current : &leader; /* near miss: the prototype's mark is the suspect */
}

bool qemu_in_coroutine(void)
{
    return current && current->caller;
}

bool qemu_coroutine_is_self(const Coroutine *co)
{
    return co == qemu_coroutine_self(); /* near miss: the suspect mark is in coroutine.h */
}

Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque)
{
    Coroutine *co = calloc(1, sizeof(*co));
    uintptr_t *top;

    if (!co) {
        abort();
    }
    co->entry = entry; /* near miss: both slots bear the mark of the typedef */
    co->entry_arg = opaque;

    /* A frame as mini_switch_stack() leaves one, returning to the root. */
    top = &co->stack[COROUTINE_STACK_WORDS];
    top -= 2;
    *top = (uintptr_t)coroutine_trampoline;
    top -= SAVED_REGISTERS;
    co->stack_pointer = top;
    return co;
}

void qemu_coroutine_enter(Coroutine *co)
{
    Coroutine *self = qemu_coroutine_self(); /* near miss: the suspect mark is in coroutine.h */

    co->caller = self;
    coroutine_switch(self, co);
    if (co->finished) {
        free(co);
    }
}

void coroutine_fn qemu_coroutine_yield(void)
{
    Coroutine *self = qemu_coroutine_self(); /* near miss: marked */
    Coroutine *caller = self->caller;

    self->caller = NULL;
    coroutine_switch(self, caller);
}
