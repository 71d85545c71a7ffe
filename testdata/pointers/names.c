/* Names that are other functions: by attributes, by a pragma, by a label of the assembler. */
#include "co.h"

int coroutine_fn co_real(void);
int coroutine_fn co_real(void)
{
    return co_leaf();
}

static int real_blocks(void)
{
    return block_leaf();
}

int real_plain(void);
int real_plain(void)
{
    return plain_leaf();
}

int by_alias(void) __attribute__((alias("co_real")));
int by_weak_alias(void) __attribute__((weak, alias("co_real")));
static int by_weakref(void) __attribute__((weakref("dev_co_flush")));
static int by_weakref_alias(void) __attribute__((weakref, alias("dev_co_flush")));
int by_label(void) __asm__("co_real");
int by_plain_label(void) __asm__("real_plain");
int blocks_by_alias(void) __attribute__((alias("real_blocks")));
int plain_by_alias(void) __attribute__((alias("real_plain")));
int of_a_library(void) __asm__("of_a_library64");
int by_pragma(void);

int no_coroutine_fn calls_alias(void)
{
    return by_alias(); /* expect: error coroutine-call: co_real */
}

int no_coroutine_fn calls_weak_alias(void)
{
    return by_weak_alias(); /* expect: error coroutine-call: co_real */
}

int no_coroutine_fn calls_weakref(void)
{
    return by_weakref(); /* expect: error coroutine-call: dev_co_flush */
}

int no_coroutine_fn calls_weakref_alias(void)
{
    return by_weakref_alias(); /* expect: error coroutine-call: dev_co_flush */
}

int no_coroutine_fn calls_label(void)
{
    return by_label(); /* expect: error coroutine-call: co_real */
}

int no_coroutine_fn calls_pragma(void)
{
    return by_pragma(); /* expect: error coroutine-call: co_real */
}

int no_coroutine_fn calls_plain(void)
{
    return plain_by_alias() + by_plain_label() + of_a_library(); /* near miss */
}

int coroutine_fn calls_blocking_alias(void)
{
    return blocks_by_alias(); /* expect: error blocking-call: block_leaf */
}

/* The body of a name that a label gives it. */
int defined(void) __asm__("public_name");
int defined(void)
{
    return block_leaf();
}

int public_name(void);

int coroutine_fn calls_public_name(void)
{
    return public_name(); /* expect: error blocking-call: block_leaf */
}

/* Stored under another name. */
struct ops { int (*run)(void); };
static const struct ops ops = { .run = blocks_by_alias };

int coroutine_fn calls_stored(const struct ops *o)
{
    return o->run(); /* expect: warning blocking-call: candidate */
}

#pragma weak by_pragma = co_real
