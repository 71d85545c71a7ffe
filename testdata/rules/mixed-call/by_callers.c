/* A function without a mark that only coroutines call runs in a coroutine. */
#include "co.h"

static int helper(int n)
{
    return dev_read(n); /* expect: warning mixed-call: called from unmarked `helper`, which runs only in coroutine context, instead of `dev_co_read` */
}

static int inner(int n)
{
    return dev_read(n); /* expect: warning mixed-call: called from unmarked `inner` */
}

static int outer(int n)
{
    return inner(n) + 1;
}

static int twice(int n)
{
    int r = dev_read(n); /* expect: warning mixed-call */

    return r + dev_read(n); /* expect: warning mixed-call */
}

static int recursive(int n)
{
    if (n > 0) {
        return recursive(n - 1); /* its own calls change nothing */
    }
    return dev_read(n); /* expect: warning mixed-call: called from unmarked `recursive` */
}

static int guarded_inside(int n)
{
    if (qemu_in_coroutine()) {
        return dev_read(n); /* expect: warning mixed-call */
    }
    return dev_read(n); /* near miss: nothing comes here */
}

static int leading(int n)
{
    return dev_co_read(n) + dev_read(n); /* expect: error coroutine-call *//* expect: warning mixed-call */
}

int coroutine_fn runs(int n);
int coroutine_fn runs(int n)
{
    return helper(n) + outer(n) + twice(n) + recursive(n) + guarded_inside(n) + leading(n);
}

/* --- behind a guard ------------------------------------------------------------------------------------------------ */

static int behind_a_guard(int n)
{
    return dev_read(n); /* expect: warning mixed-call: called from unmarked `behind_a_guard` */
}

int coroutine_mixed_fn guards(int n);
int coroutine_mixed_fn guards(int n)
{
    return qemu_in_coroutine() ? behind_a_guard(n) : 0;
}

static int by_a_flag(int n, bool in_coroutine)
{
    if (!in_coroutine) {
        return 0;
    }
    return dev_read(n); /* expect: warning mixed-call: called from unmarked `by_a_flag` */
}

int coroutine_fn sets_the_flag(int n);
int coroutine_fn sets_the_flag(int n)
{
    return by_a_flag(n, true) + by_a_flag(n, false);
}

/* --- slots --------------------------------------------------------------------------------------------------------- */

struct Ops {
    int (*called_in_coroutines)(int n);
    int (*called_anywhere)(int n);
    int (*coroutine_fn marked)(int n);
};

static int in_a_slot(int n)
{
    return dev_read(n); /* expect: warning mixed-call: called from unmarked `in_a_slot` */
}

static int in_a_slot_for_all(int n)
{
    return dev_read(n); /* near miss: the slot is called outside, too */
}

static int in_a_marked_slot(int n)
{
    return dev_read(n); /* expect: warning mixed-call: called from unmarked `in_a_marked_slot` */
}

extern const struct Ops ops;
const struct Ops ops = { in_a_slot, in_a_slot_for_all, in_a_marked_slot };

int coroutine_fn calls_slots(int n);
int coroutine_fn calls_slots(int n)
{
    return ops.called_in_coroutines(n) + ops.called_anywhere(n) + ops.marked(n);
}

int no_coroutine_fn calls_a_slot(int n);
int no_coroutine_fn calls_a_slot(int n)
{
    return ops.called_anywhere(n);
}

static void entry(void *opaque)
{
    dev_read(1); /* expect: warning mixed-call: called from unmarked `entry` */
}

void creates(void);
void creates(void)
{
    qemu_coroutine_create(entry, NULL); /* expect: warning unmarked-entry */
}

/* --- near misses ---------------------------------------------------------------------------------------------------- */

static int called_outside(int n)
{
    return dev_read(n); /* near miss: `plain` calls it, too */
}

static int given_away(int n)
{
    return dev_read(n); /* near miss: who knows who calls it */
}

void take(void *anything);

static int only_recursive(int n)
{
    return n > 0 ? only_recursive(n - 1) : dev_read(n); /* near miss: its first caller is not here */
}

static int in_dead_code(int n)
{
    return dev_read(n); /* near miss: no caller runs */
}

static int in_a_region(int n)
{
    return dev_read(n); /* near miss: this is another thread */
}

int nobody_calls(int n);
int nobody_calls(int n)
{
    return dev_read(n); /* near miss: its callers are not here */
}

static int by_somebody_unknown(int n)
{
    return dev_read(n); /* near miss: its caller may run anywhere */
}

#define v9fs_co_run_in_worker(code_block)       \
    do {                                        \
        qemu_coroutine_yield();                 \
        do {                                    \
            code_block;                         \
        } while (0);                            \
        qemu_coroutine_yield();                 \
    } while (0)

int coroutine_fn calls_near_misses(int n);
int coroutine_fn calls_near_misses(int n)
{
    int r = 0;

    take(given_away);
    v9fs_co_run_in_worker({ /* expect: error blocking-call: leads to `co_wrapper_mixed` `dev_read` */
        r = in_a_region(n);
    });
    if (!qemu_in_coroutine()) {
        r += in_dead_code(n);
    }
    return r + called_outside(n) + given_away(n);
}

int no_coroutine_fn plain(int n);
int no_coroutine_fn plain(int n)
{
    return called_outside(n);
}

int somebody_unknown(int n);
int somebody_unknown(int n)
{
    return by_somebody_unknown(n);
}

static int asserts(int n)
{
    assert(qemu_in_coroutine());
    return dev_read(n); /* expect: warning mixed-call: called from coroutine-only `asserts` */
}

int coroutine_fn calls_what_asserts(int n);
int coroutine_fn calls_what_asserts(int n)
{
    return asserts(n);
}
