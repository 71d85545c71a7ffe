/* In a coroutine, a mixed function suspends, and so does what only coroutines call. */
#include "co.h"

typedef struct QemuMutex { int value; } QemuMutex;

void qemu_mutex_lock(QemuMutex *mutex);
void qemu_mutex_unlock(QemuMutex *mutex);

static QemuMutex lock;

int coroutine_fn holds_across_a_wrapper(int n);
int coroutine_fn holds_across_a_wrapper(int n)
{
    int r;

    qemu_mutex_lock(&lock);
    r = dev_read(n); /* expect: warning mixed-call *//* expect: warning lock-across-yield: call of `dev_read` may suspend */
    qemu_mutex_unlock(&lock);
    return r;
}

int coroutine_mixed_fn guards_itself(int n);
int coroutine_mixed_fn guards_itself(int n)
{
    return qemu_in_coroutine() ? co_leaf() : block_leaf();
}

int coroutine_mixed_fn guards_the_other_side(int n);
int coroutine_mixed_fn guards_the_other_side(int n)
{
    return qemu_in_coroutine() ? plain_leaf() : block_leaf();
}

int coroutine_fn holds_across_mixed_functions(int n);
int coroutine_fn holds_across_mixed_functions(int n)
{
    int r;

    qemu_mutex_lock(&lock);
    r = mixed_leaf(); /* near miss: nobody knows what it does */
    r += guards_the_other_side(n); /* near miss: in a coroutine it does not suspend */
    r += guards_itself(n); /* expect: warning lock-across-yield: call of `guards_itself` may suspend */
    qemu_mutex_unlock(&lock);
    return r;
}

/* --- functions that only coroutines call ---------------------------------------------------------------------------- */

static int suspends(void)
{
    return co_leaf(); /* expect: error coroutine-call */
}

static int reads(int n)
{
    return dev_read(n); /* expect: warning mixed-call */
}

static int holds(int n)
{
    int r;

    qemu_mutex_lock(&lock);
    r = dev_read(n); /* expect: warning mixed-call *//* expect: warning lock-across-yield: all its callers run in coroutine context */
    qemu_mutex_unlock(&lock);
    return r;
}

static int holds_across_another(int n)
{
    int r;

    qemu_mutex_lock(&lock);
    r = reads(n); /* expect: warning lock-across-yield: call of `reads` may suspend while `holds_across_another` holds */
    qemu_mutex_unlock(&lock);
    return r;
}

int coroutine_fn runs(int n);
int coroutine_fn runs(int n)
{
    int r;

    qemu_mutex_lock(&lock);
    r = suspends(); /* expect: warning lock-across-yield: call of `suspends` may suspend */
    qemu_mutex_unlock(&lock);
    return r + holds(n) + holds_across_another(n) + reads(n);
}

/* --- near misses ---------------------------------------------------------------------------------------------------- */

static int called_outside(int n)
{
    int r;

    qemu_mutex_lock(&lock);
    r = dev_read(n); /* near miss: `plain` calls it, too, and the wrapper waits there */
    qemu_mutex_unlock(&lock);
    return r;
}

int coroutine_mixed_fn holds_in_both(int n);
int coroutine_mixed_fn holds_in_both(int n)
{
    int r;

    qemu_mutex_lock(&lock);
    r = dev_read(n); /* near miss: it does not know where it runs */
    if (qemu_in_coroutine()) {
        r += dev_read(n); /* expect: warning mixed-call *//* expect: warning lock-across-yield: holds_in_both */
    }
    qemu_mutex_unlock(&lock);
    return r;
}

int coroutine_fn calls_it(int n);
int coroutine_fn calls_it(int n)
{
    return called_outside(n);
}

int no_coroutine_fn plain(int n);
int no_coroutine_fn plain(int n)
{
    return called_outside(n);
}
