/* The lock is taken and dropped in the body, and by functions that do it for their caller. */

#define BIG_GUARD() __attribute__((cleanup(guard_end))) int guard = guard_begin()

void big_lock(void);
void big_unlock(void);
_Bool big_locked(void);
void start_thread(void *(*run)(void *));
void set_locked_op(int value);
void free_locked_op(int value);
void exact_op(void);
void set_soft_op(int value);
int failed(void);

static int guard_begin(void)
{
    big_lock();
    return 0;
}

static void guard_end(int *guard)
{
    (void)guard;
    big_unlock();
}

/* It takes the lock for its caller. */
static void lock_all(void)
{
    big_lock();
}

static void unlock_all(void)
{
    big_unlock();
}

static void lock_through_another(void)
{
    lock_all();
}

/* It takes the lock where its caller does not hold it, and tells so. */
static _Bool prepare_access(void)
{
    if (!big_locked()) {
        big_lock();
        return 1;
    }
    return 0;
}

/* It holds the lock on some paths to its end. */
static int try_lock_all(void)
{
    lock_all();
    if (failed()) {
        unlock_all();
        return 0;
    }
    return 1;
}

static void helper(void)
{
    set_locked_op(1);
}

/* A chain goes on only where the lock is not held. */
static void takes_it_first(void)
{
    big_lock();
    helper();
    big_unlock();
}

static void *in_the_body(void *opaque)
{
    set_locked_op(0); /* expect: error outside-call: locked-only `set_locked_op` called without the lock in `in_the_body` */
    big_lock();
    set_locked_op(1);
    helper();
    big_unlock();
    helper(); /* expect: error outside-call: `helper` called without the lock in `in_the_body` leads to locked-only `set_locked_op` */
    takes_it_first();
    free_locked_op(0);
    exact_op(); /* expect: error outside-call: locked-only `exact_op` called without the lock in `in_the_body` */
    return opaque;
}

static void *with_a_guard(void *opaque)
{
    if (opaque) {
        BIG_GUARD();
        set_locked_op(1);
    }
    set_locked_op(2); /* expect: error outside-call: locked-only `set_locked_op` called without the lock in `with_a_guard` */
    return opaque;
}

static void *with_functions(void *opaque)
{
    lock_all();
    set_locked_op(1);
    unlock_all();
    set_locked_op(2); /* expect: error outside-call: locked-only `set_locked_op` called without the lock in `with_functions` */
    lock_through_another();
    helper();
    unlock_all();
    return opaque;
}

static void *with_a_flag(void *opaque)
{
    _Bool taken = prepare_access();

    set_locked_op(1);
    if (taken) {
        big_unlock();
    }
    set_locked_op(2); /* nobody knows */
    return opaque;
}

static void *on_some_paths(void *opaque)
{
    if (try_lock_all()) {
        set_locked_op(1); /* nobody knows */
        unlock_all();
    }
    if (opaque) {
        lock_all();
    }
    helper(); /* nobody knows */
    return opaque;
}

static void *where_it_asks(void *opaque)
{
    if (big_locked()) {
        set_locked_op(1);
    } else {
        set_locked_op(2); /* expect: error outside-call: locked-only `set_locked_op` called without the lock in `where_it_asks` */
    }
    return opaque;
}

/* Without a requirement: it drops the lock whoever calls it. */
void drops_it(void)
{
    big_unlock();
    set_locked_op(1); /* expect: error outside-call: locked-only `set_locked_op` called without the lock in `drops_it` */
    helper(); /* expect: error outside-call: `helper` called without the lock in `drops_it` leads to locked-only `set_locked_op` */
    big_lock();
    helper();
}

void start_all(void)
{
    start_thread(in_the_body);
    start_thread(with_a_guard);
    start_thread(with_functions);
    start_thread(with_a_flag);
    start_thread(on_some_paths);
    start_thread(where_it_asks);
}
