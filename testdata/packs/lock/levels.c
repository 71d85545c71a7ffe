/* A model can limit the level of findings. A graver one counts where a call leads to both. */

void start_thread(void *(*run)(void *));
void set_locked_op(int value);
void set_soft_op(int value);

static void softly(void)
{
    set_soft_op(1);
}

static void both(void)
{
    set_soft_op(1);
    softly();
    set_locked_op(1);
}

static void *run(void *opaque)
{
    set_soft_op(0); /* expect: warning outside-call: locked-only `set_soft_op` called without the lock in `run` */
    softly(); /* expect: warning outside-call: `softly` called without the lock in `run` leads to locked-only `set_soft_op` */
    both(); /* expect: error outside-call: `both` called without the lock in `run` leads to locked-only `set_locked_op` */
    return opaque;
}

void start_all(void)
{
    start_thread(run);
}
