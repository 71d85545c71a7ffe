/* A callback is called in the context in which whoever is given it calls it. */
#include "co.h"

static int blocks(void *opaque)
{
    return block_leaf();
}

static int harmless(void *opaque)
{
    return 0;
}

static int calls(int (*callback)(void *), void *opaque)
{
    return callback(opaque);
}

static int passes_on(int (*callback)(void *), void *opaque)
{
    int (*local)(void *) = callback;
    return calls(local, opaque);
}

static int calls_outside(int (*callback)(void *), void *opaque)
{
    return qemu_in_coroutine() ? 0 : callback(opaque);
}

static int never_calls(int (*callback)(void *), void *opaque)
{
    return callback == NULL;
}

int coroutine_fn one_step(void)
{
    return calls(blocks, NULL); /* expect: error blocking-call: `calls` calls `blocks`, which it was passed */
}

int coroutine_fn two_steps(void)
{
    return passes_on(&blocks, NULL); /* expect: error blocking-call: `passes_on` calls `calls` */
}

int coroutine_fn passes_something_else(void)
{
    return calls(harmless, NULL) + passes_on(harmless, NULL); /* near miss: others pass what blocks */
}

int coroutine_fn guarded(void)
{
    return calls_outside(blocks, NULL) + never_calls(blocks, NULL); /* near miss: not called in a coroutine */
}

int no_coroutine_fn outside(void)
{
    return passes_on(blocks, NULL); /* near miss: outside it may block */
}

/* What is passed is marked itself. */
int no_coroutine_fn block_callback(void *opaque);

int coroutine_fn passes_what_is_marked(void)
{
    return calls(block_callback, NULL); /* expect: error blocking-call: `no_coroutine_fn` `block_callback` */
}

/* Through functions that are no callbacks themselves, and through a coroutine only one. */
static int picks(void)
{
    return calls(blocks, NULL);
}

static int coroutine_fn co_calls(int (*callback)(void *), void *opaque)
{
    return callback(opaque) + co_leaf();
}

int coroutine_fn leads_to_one_that_picks(void)
{
    return picks(); /* expect: error blocking-call: `picks` calls `calls` */
}

int coroutine_fn passes_to_a_coroutine(void)
{
    return co_calls(blocks, NULL); /* expect: error blocking-call: `co_calls` calls `blocks`, which it was passed */
}

/* The callee is a pointer, and the callback a slot of its own. */
struct Block {
    int (*open)(int (*callback)(void *), void *opaque);
    int (*read)(void *opaque);
};

static const struct Block block = { .open = passes_on, .read = blocks };

int coroutine_fn passes_through_a_field(const struct Block *b)
{
    return b->open(blocks, NULL); /* expect: warning blocking-call: calls through `Block::open` */
}

int coroutine_fn passes_a_field(const struct Block *b)
{
    return calls(b->read, NULL); /* expect: warning blocking-call: `calls` calls `blocks`, which it was passed */
}

/* What a function passes when it calls itself is followed like any other call. */
static int walks(int depth, int (*callback)(void *), void *opaque)
{
    int result = callback(opaque);
    return depth ? walks(depth - 1, harmless, opaque) : result;
}

int coroutine_fn passes_to_a_walker(void)
{
    return walks(2, blocks, NULL); /* expect: error blocking-call: `walks` calls `blocks`, which it was passed */
}

int coroutine_fn passes_something_else_to_a_walker(void)
{
    return walks(2, harmless, NULL); /* near miss */
}
