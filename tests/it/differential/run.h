/*
 * What random programs use.  Compiled with RUN, each function reports who called it; cowrap reads the same text
 * without.
 */
#ifndef RUN_H
#define RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define coroutine_fn
#define coroutine_mixed_fn
#define no_coroutine_fn

/* A number from 0 to below a limit. */
int chance(int limit);
/* Whether this run has gone on for long enough. */
bool spent(void);

#ifdef RUN
enum mark { UNMARKED, COROUTINE, OUTSIDE, MIXED };
struct frame {
    struct frame *up;
    const char *name, *file;
    int line;
    enum mark mark;
    /* Whether a mark above says that control cannot be here. */
    bool excused;
    /* The nearest marked function above, or this one, if it is a coroutine_fn. */
    struct frame *base;
};
extern bool inside;
void frame_enter(struct frame *frame, const char *name, const char *file, enum mark mark);
void frame_leave(struct frame *frame);
void tick(void);
/* The beginning of each body. */
#define ENTER_AS(mark)                                          \
    struct frame frame_ __attribute__((cleanup(frame_leave)));  \
    frame_enter(&frame_, __func__, __FILE__, mark)
/* Before each statement that may call something. */
#define AT (frame_.line = __LINE__, tick())
#else
#define ENTER_AS(mark) ((void)0)
#define AT ((void)0)
#endif
#define ENTER ENTER_AS(0)

/* Perhaps a jump. */
#ifdef __x86_64__
#define JUMP(label) __asm__ goto("test %0, %0\n\tjne %l1" : : "r"(chance(2)) : "cc" : label)
#else
#define JUMP(label) if (chance(2)) goto label
#endif

#endif
