/* A chain names the store, and each copy from there to the call. */
#include "co.h"

typedef void work(void);
struct plan { work *first, *second; };

static void blocks(void)
{
    block_leaf();
}

static work *kept, *copied;

void store(struct plan *p)
{
    p->first = blocks;
}

void copy(struct plan *p)
{
    p->second = p->first;
    copied = p->second;
}

static void hand_over(work **out, struct plan *p)
{
    *out = p->second;
}

void fill(struct plan *p)
{
    hand_over(&kept, p);
}

void coroutine_fn calls_first(struct plan *p)
{
    p->first(); /* expect: warning blocking-call: `blocks` is stored in `plan::first` here */
}

void coroutine_fn calls_copied(void)
{
    copied(); /* expect: warning blocking-call: `plan::first` is copied to `plan::second` here */
}

void coroutine_fn calls_copied_in_turn(void)
{
    work *mine = copied;

    mine(); /* expect: warning blocking-call: `plan::second` is copied to `copied` here */
}

void coroutine_fn calls_kept(void)
{
    kept(); /* expect: warning blocking-call: `plan::second` is copied to */
}
