/*
 * Runs each program of a table in a process of its own, many times, and prints one line for each call that happened:
 * caller's file, caller, line, callee's file, callee; whether it was in a coroutine, whether a lock was held, whether
 * the marks above say that control cannot be here; and the functions from the nearest marked one above, if that is a
 * coroutine_fn, to the caller.
 *
 * At last, whether the run came to its end: whoever asserts something may do anything before.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batch.h"

struct program {
    const char *name;
    void (*run)(void);
};
extern const struct program programs[];

enum { SLOTS = 1 << 15, DEPTH = 20, CALLS = 2000, TICKS = 20000 };

struct call {
    const char *file, *caller, *callee_file, *callee;
    char chain[120];
    int line;
    bool inside, held, excused, returned;
};
static struct call calls[SLOTS], pending[CALLS + 1];
static struct frame *top;
static uint64_t state;
static int depth, count, ticks;
static jmp_buf end;
bool inside;

int chance(int limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int)((state >> 11) % (uint64_t)limit);
}

bool spent(void)
{
    return depth > DEPTH || count > CALLS / 2;
}

void tick(void)
{
    if (++ticks > TICKS) {
        longjmp(end, 1);
    }
}

static bool is_same(const struct call *a, const struct call *b)
{
    return a->caller == b->caller && a->callee == b->callee && a->line == b->line && a->inside == b->inside &&
           a->held == b->held && a->excused == b->excused && a->returned == b->returned && !strcmp(a->chain, b->chain);
}

static void record(const struct call *call)
{
    size_t at = (((uintptr_t)call->caller / 8 + (uintptr_t)call->callee * 31 + (size_t)call->line * 131) * 4 +
                 call->inside * 2 + call->held) % SLOTS;
    for (; calls[at].caller; at = (at + 1) % SLOTS) {
        if (is_same(&calls[at], call)) {
            return;
        }
    }
    calls[at] = *call;
}

#ifdef FLOW
static QemuMutex *locks[64];
static int lock_count;
/* Whether the function that calls holds a lock. */
static bool holds(void)
{
    for (int i = 0; i < lock_count; i++) {
        if (locks[i]->owner == top) {
            return true;
        }
    }
    return false;
}
#define HELD holds()
#else
#define HELD false
#endif

/* From the base of a frame to the frame. */
static size_t write_chain(char *to, size_t size, const struct frame *frame)
{
    size_t used = frame == frame->base ? 0 : write_chain(to, size, frame->up);
    used += snprintf(to + used, size - used, used ? ",%s" : "%s", frame->name);
    return used < size ? used : size - 1;
}

void frame_enter(struct frame *frame, const char *name, const char *file, enum mark mark)
{
    *frame = (struct frame) { .up = top, .name = name, .file = file, .mark = mark };
    frame->excused = (top && top->excused) || (mark == COROUTINE && !inside) || (mark == OUTSIDE && inside);
    if (mark == UNMARKED && top) {
        frame->base = top->base;
    } else if (mark == COROUTINE) {
        frame->base = frame;
    }
    if (top) {
        if (count >= CALLS) {
            longjmp(end, 1);
        }
        struct call *call = &pending[count++];
        *call = (struct call) { top->file, top->name, file, name, "-", top->line, inside, HELD, top->excused };
        if (top->base) {
            write_chain(call->chain, sizeof call->chain, top);
        }
    }
    top = frame;
    depth++;
}

void frame_leave(struct frame *frame)
{
    top = frame->up;
    depth--;
}

#ifdef FLOW
bool qemu_in_coroutine(void)
{
    return inside;
}

int co_leaf(void)
{
    ENTER_AS(COROUTINE);
    return chance(3);
}

int block_leaf(void)
{
    ENTER_AS(OUTSIDE);
    return chance(3);
}

int plain_leaf(void)
{
    return chance(3);
}

void die(void)
{
    longjmp(end, 1);
}

/* Whoever waits for itself waits for ever. */
void qemu_mutex_lock(QemuMutex *mutex)
{
    if (mutex->owner || lock_count == 64) {
        die();
    }
    mutex->owner = top;
    locks[lock_count++] = mutex;
}

void qemu_mutex_unlock(QemuMutex *mutex)
{
    int at = 0;
    while (at < lock_count && locks[at] != mutex) {
        at++;
    }
    if (at == lock_count) {
        die();
    }
    mutex->owner = NULL;
    locks[at] = locks[--lock_count];
}
#endif

static void run(const struct program *program, uint64_t number, int times)
{
    alarm(20);
    state = (number + 1) * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < times; i++) {
        depth = count = ticks = 0;
        top = NULL;
#ifdef FLOW
        while (lock_count) {
            locks[--lock_count]->owner = NULL;
        }
#endif
        volatile bool returned = false;
        if (!setjmp(end)) {
            program->run();
            returned = true;
        }
        for (int call = 0; call < count; call++) {
            pending[call].returned = returned;
            record(&pending[call]);
        }
    }
    for (int i = 0; i < SLOTS; i++) {
        if (calls[i].caller) {
            const struct call *call = &calls[i];
            printf("%s %s %d %s %s %d %d %d %s %d\n", call->file, call->caller, call->line, call->callee_file,
                   call->callee, call->inside, call->held, call->excused, call->chain, call->returned);
        }
    }
}

int main(int argc, char **argv)
{
    int times = argc > 1 ? atoi(argv[1]) : 1;
    for (uint64_t number = 0; programs[number].run; number++) {
        int status = 0;
        pid_t child = fork();
        if (!child) {
            run(&programs[number], number, times);
            fflush(stdout);
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status) {
            printf("crash %s %d\n", programs[number].name, status);
            fflush(stdout);
        }
    }
    return 0;
}
