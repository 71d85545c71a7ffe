/* Functions of libraries, of which the pack says that they block. */
#include "co.h"

void *g_thread_join(void *thread);
void *g_thread_new(void *thread);
int connect(int fd, const void *address, unsigned length);
void g_main_loop_run(void *loop);

void coroutine_fn direct(void *thread);
void coroutine_fn direct(void *thread)
{
    g_thread_new(thread); /* near miss: it only starts one */
    g_thread_join(thread); /* expect: error blocking-call: non-coroutine-only `g_thread_join` called */
}

void no_coroutine_fn outside(void *thread);
void no_coroutine_fn outside(void *thread)
{
    g_thread_join(thread); /* near miss: nobody else is kept waiting */
}

static void unmarked(void *loop)
{
    g_main_loop_run(loop); /* near miss: nothing is known of the caller */
}

void coroutine_fn through(void *loop);
void coroutine_fn through(void *loop)
{
    unmarked(loop); /* expect: error blocking-call: leads to non-coroutine-only `g_main_loop_run` */
}

static int guarded(int fd)
{
    if (qemu_in_coroutine()) {
        return -1;
    }
    return connect(fd, 0, 0);
}

int coroutine_fn calls_guarded(int fd);
int coroutine_fn calls_guarded(int fd)
{
    return guarded(fd); /* near miss: it does not connect in a coroutine */
}
