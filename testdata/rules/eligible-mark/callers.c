/* What is only called in coroutines could say so. */
#include "co.h"

static int counter;

static void only_coroutines(void) /* expect: warning eligible-mark: `only_coroutines` is only called in coroutine context */
{
    counter++;
}

static void through_another(void) /* expect: warning eligible-mark: `by_turns` calls it here */
{
    counter++;
}

static void by_turns(void) /* expect: warning eligible-mark */
{
    through_another();
}

static void round_and_round(int n) /* expect: warning eligible-mark: `one_coroutine` calls it here */
{
    if (n > 0) {
        round_and_round(n - 1); /* its own calls change nothing */
    }
}

static void guarded(void) /* expect: warning eligible-mark: `either` calls it here */
{
    counter++;
}

int coroutine_fn one_coroutine(void);
int coroutine_fn one_coroutine(void)
{
    only_coroutines();
    by_turns();
    round_and_round(3);
    return co_leaf();
}

static void both(void) /* near miss: `either` calls it, too */
{
    counter++;
}

static void nobody_known(void) /* near miss: its caller may be anywhere */
{
    counter++;
}

void plain(void);
void plain(void) /* near miss: nobody calls it that is known */
{
    nobody_known();
}

void coroutine_mixed_fn either(void);
void coroutine_mixed_fn either(void)
{
    both();
    if (qemu_in_coroutine()) {
        guarded();
    }
}

void coroutine_fn another(void);
void coroutine_fn another(void)
{
    both();
    nobody_known();
    co_leaf();
}

/* --- through slots -------------------------------------------------------------------------------------------------- */

struct Ops {
    void (*called_in_coroutines)(void);
    void (*called_anywhere)(void);
    void (*coroutine_fn marked)(void);
};

static void stored(void) /* expect: warning eligible-mark: stored here */
{
    counter++;
}

static void stored_elsewhere(void) /* near miss: the slot is called outside, too */
{
    counter++;
}

static void stored_marked(void) /* expect: warning eligible-mark */
{
    counter++;
}

extern const struct Ops ops;
const struct Ops ops = { stored, stored_elsewhere, stored_marked };

void coroutine_fn calls_slots(void);
void coroutine_fn calls_slots(void)
{
    ops.called_in_coroutines();
    ops.called_anywhere();
    ops.marked();
}

void no_coroutine_fn calls_one_slot(void);
void no_coroutine_fn calls_one_slot(void)
{
    ops.called_anywhere();
}

/* --- what nobody can follow ------------------------------------------------------------------------------------------ */

void take(void *anything);

static void given_away(void) /* near miss: who knows who calls it */
{
    counter++;
}

void coroutine_fn gives_away(void);
void coroutine_fn gives_away(void)
{
    given_away();
    take(given_away);
    co_leaf();
}
