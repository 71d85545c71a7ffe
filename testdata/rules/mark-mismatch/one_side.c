/* Prototype and definition should both bear the mark. */
#include "co.h"

static int coroutine_fn only_on_prototype(void);
static int only_on_definition(void); /* expect: warning mark-mismatch: only_on_definition */
static int coroutine_fn on_both(void);
static int on_neither(void);
int no_coroutine_fn outside_on_prototype(void);
int either_on_definition(void); /* expect: warning mark-mismatch: either_on_definition */
int no_coroutine_fn outside_on_both(void);

static int only_on_prototype(void) /* expect: warning mark-mismatch: only_on_prototype */
{
    return co_leaf(); /* near miss: marks add up over all declarations */
}

static int coroutine_fn only_on_definition(void)
{
    return co_leaf(); /* near miss: marked here */
}

static int coroutine_fn on_both(void)
{
    return only_on_prototype() + only_on_definition(); /* near miss: both are coroutine only */
}

static int on_neither(void)
{
    return plain_leaf(); /* near miss: no mark, no mismatch */
}

int outside_on_prototype(void) /* expect: warning mark-mismatch: outside_on_prototype */
{
    return on_neither();
}

int coroutine_mixed_fn either_on_definition(void)
{
    return qemu_in_coroutine() ? on_both() : 0;
}

int no_coroutine_fn outside_on_both(void)
{
    return block_leaf(); /* near miss: the same mark twice */
}
