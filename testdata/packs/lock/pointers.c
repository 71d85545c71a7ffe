/* What a pointer calls may take or drop the lock: behind the call, nobody knows whether it is held. */
void big_lock(void);
void big_unlock(void);
void start_thread(void *(*run)(void *));
void set_locked_op(int value);

static void take(void)
{
    big_lock();
}

static void drop(void)
{
    big_unlock();
}

static void count(void)
{
}

struct ops {
    void (*take)(void);
    void (*drop)(void);
    void (*count)(void);
};

static const struct ops ops = { take, drop, count };
static void (*lock_it)(void) = big_lock;

static void call(void (*function)(void))
{
    function();
}

static void take_through(void)
{
    ops.take();
}

static void *by_field(void *arg)
{
    set_locked_op(0); /* expect: error outside-call: locked-only `set_locked_op` called without the lock in `by_field` */
    ops.take();
    set_locked_op(1);
    ops.drop();
    return arg;
}

static void *by_variable(void *arg)
{
    lock_it();
    set_locked_op(1);
    return arg;
}

static void *by_parameter(void *arg)
{
    call(take);
    set_locked_op(1);
    call(drop);
    return arg;
}

static void *by_another(void *arg)
{
    take_through();
    set_locked_op(1);
    return arg;
}

/* What the pack says of a call behind it counts again. */
static void *until_a_change(void *arg)
{
    ops.take();
    big_unlock();
    set_locked_op(1); /* expect: error outside-call: locked-only `set_locked_op` called without the lock in `until_a_change` */
    return arg;
}

/* This one changes nothing. */
static void *by_a_pointer_that_changes_nothing(void *arg)
{
    ops.count();
    set_locked_op(1); /* expect: error outside-call: locked-only `set_locked_op` called without the lock in `by_a_pointer_that_changes_nothing` */
    return arg;
}

int main(void)
{
    start_thread(by_field);
    start_thread(by_variable);
    start_thread(by_parameter);
    start_thread(by_another);
    start_thread(until_a_change);
    start_thread(by_a_pointer_that_changes_nothing);
    return 0;
}
