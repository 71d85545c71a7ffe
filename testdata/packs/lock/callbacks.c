/* A function drops the lock and calls what it was passed: that runs without the lock, where its caller has it. */
void big_lock(void);
void big_unlock(void);
void start_thread(void *(*run)(void *));
void set_locked_op(int value);

static void set(void)
{
    set_locked_op(1);
}

static void count(void)
{
}

static void run_here(void (*function)(void))
{
    function();
}

static void run_unlocked(void (*function)(void))
{
    big_unlock();
    function();
    big_lock();
}

static void run_unlocked_through_another(void (*function)(void))
{
    big_unlock();
    run_here(function);
    big_lock();
}

static void *with_the_lock(void *arg)
{
    big_lock();
    run_here(set);
    run_unlocked(count);
    run_unlocked(set); /* expect: error outside-call: `run_unlocked` called from `with_the_lock` may lead to locked-only `set_locked_op` */
    run_unlocked_through_another(set); /* expect: error outside-call: from `with_the_lock` may lead to locked-only `set_locked_op` */
    big_unlock();
    return arg;
}

static void *without_the_lock(void *arg)
{
    run_here(set); /* expect: error outside-call: `run_here` called without the lock in `without_the_lock` may lead to locked-only `set_locked_op` */
    return arg;
}

int main(void)
{
    start_thread(with_the_lock);
    start_thread(without_the_lock);
    return 0;
}
