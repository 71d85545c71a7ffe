/*
 * The context of each line.  `line:` says what an editor shows for a line, then how many lines above the guard is
 * that decided, and what is said of it.
 */
#include "co.h"

int before_everything; /* line: none */

int both_branches(int x)
{                                   /* line: may run in both contexts */
    plain_leaf();                   /* line: may run in both contexts */
    if (qemu_in_coroutine()) {      /* line: may run in both contexts */
        plain_leaf();               /* line: runs in coroutine context; 1 up: this condition depends on the context */
                                    /* line: runs in coroutine context; 2 up: this condition depends on the context */
        if (x) {                    /* line: runs in coroutine context; 3 up: this condition depends on the context */
            plain_leaf();           /* line: runs in coroutine context; 4 up: this condition depends on the context */
        }                           /* line: runs in coroutine context; 5 up: this condition depends on the context */
    } else {                        /* line: runs in non-coroutine context; 6 up: this condition depends on the context */
        plain_leaf();               /* line: runs in non-coroutine context; 7 up: this condition depends on the context */
    }
    return plain_leaf();            /* line: may run in both contexts */
}                                   /* line: may run in both contexts */

int between_functions; /* line: none */

int negated(void)
{
    if (!qemu_in_coroutine()) {
        return plain_leaf();        /* line: runs in non-coroutine context; 1 up: this condition depends on the context */
    }
    plain_leaf();                   /* line: runs in coroutine context; 3 up: this condition depends on the context */
    return 0;                       /* line: runs in coroutine context; 4 up: this condition depends on the context */
}

int on_one_line(void)
{
    if (qemu_in_coroutine()) return plain_leaf(); /* line: may run in both contexts */
    return plain_leaf();            /* line: runs in non-coroutine context; 1 up: this condition depends on the context */
}

int asserted(void)
{
    plain_leaf();                   /* line: runs in coroutine context; 1 down: `asserted` asserts its context */
    assert(qemu_in_coroutine());    /* line: runs in coroutine context; 0 up: `asserted` asserts its context */
    return plain_leaf();            /* line: runs in coroutine context; 1 up: `asserted` asserts its context */
}

int asserted_on_one_path(int x)
{
    if (x) {
        assert(!qemu_in_coroutine()); /* line: may run in both contexts */
        plain_leaf();               /* line: runs in non-coroutine context; 1 up: asserts non-coroutine context here */
    }
    return plain_leaf();            /* line: may run in both contexts */
}

int coroutine_fn marked(void)
{
    if (qemu_in_coroutine()) {      /* line: runs in coroutine context; 2 up: `marked` is marked `coroutine_fn` */
        return plain_leaf();        /* line: runs in coroutine context; 3 up: `marked` is marked `coroutine_fn` */
    }
    return plain_leaf();            /* line: never runs, since `marked` runs in coroutine context; 3 up: this condition depends on the context */
}

int dead_behind_return(int x)
{
    if (x) {
        return 1;                   /* line: may run in both contexts */
        plain_leaf();               /* line: never runs; 1 up: returns here */
        plain_leaf();               /* line: never runs; 2 up: returns here */
    }
    return plain_leaf();            /* line: may run in both contexts */
}

int dead_behind_noreturn(int x)
{
    switch (x) {
    case 0:                         /* line: may run in both contexts */
        die_gnu();                  /* line: may run in both contexts */
        plain_leaf();               /* line: never runs; 1 up: this call never returns */
        break;                      /* line: never runs; 2 up: this call never returns */
    case 1:                         /* line: may run in both contexts */
        return plain_leaf();        /* line: may run in both contexts */
    }
    return plain_leaf();            /* line: may run in both contexts */
}

int dead_by_a_constant(void)
{
    if (0) {
        plain_leaf();               /* line: never runs; 1 up: this condition always goes the other way */
    }
    while (1) {
        plain_leaf();               /* line: may run in both contexts */
    }
    return plain_leaf();            /* line: never runs; 3 up: this condition always goes the other way */
}

int jumps(int x)
{
    if (!qemu_in_coroutine()) {
        goto out;                   /* line: runs in non-coroutine context; 1 up: this condition depends on the context */
    }
    while (x--) {                   /* line: runs in coroutine context; 3 up: this condition depends on the context */
        if (x == 3) {
            continue;
            plain_leaf();           /* line: never runs; 1 up: control jumps away here */
        }
        plain_leaf();               /* line: runs in coroutine context; 8 up: this condition depends on the context */
    }
    return 0;
    plain_leaf();                   /* line: never runs; 1 up: returns here */
out:                                /* line: runs in non-coroutine context; 12 up: this condition depends on the context */
    return plain_leaf();            /* line: runs in non-coroutine context; 13 up: this condition depends on the context */
}

int cases(void)
{
    switch (qemu_in_coroutine()) {
    case true:                      /* line: runs in coroutine context; 1 up: this condition depends on the context */
        return plain_leaf();        /* line: runs in coroutine context; 2 up: this condition depends on the context */
    default:
        return plain_leaf();        /* line: runs in non-coroutine context; 4 up: this condition depends on the context */
    }
}

int on_several_lines(int x)
{
    if (x &&                        /* line: may run in both contexts */
        qemu_in_coroutine() &&      /* line: may run in both contexts */
        plain_leaf()) {             /* line: runs in coroutine context; 1 up: this condition depends on the context */
        return 1;                   /* line: runs in coroutine context; 2 up: this condition depends on the context */
    }
    assert(                         /* line: may run in both contexts */
        x == 1                      /* line: may run in both contexts */
    );                              /* line: may run in both contexts */
    return qemu_in_coroutine()      /* line: may run in both contexts */
        ? plain_leaf()              /* line: runs in coroutine context; 1 up: this condition depends on the context */
        : plain_leaf();             /* line: runs in non-coroutine context; 2 up: this condition depends on the context */
}

/* In a body, somebody says what is passed. */
static int only_with_a_flag(bool in_coroutine)
{
    if (in_coroutine) {
        return plain_leaf();        /* line: runs in coroutine context; 1 up: this condition depends on a parameter */
    }
    return plain_leaf();            /* line: runs in non-coroutine context; 3 up: this condition depends on a parameter */
}

int passes_the_flag(void)
{
    if (qemu_in_coroutine()) {
        return only_with_a_flag(true);
    }
    return only_with_a_flag(false);
}

static int by_its_callers(void)
{
    return plain_leaf();            /* line: runs in coroutine context, by the callers of `by_its_callers` */
}

int coroutine_fn calls_it(void)
{
    return by_its_callers();
}

static inline int in_another_macro(int x) /* line: may run in both contexts */
{
#define CHECKED(condition)                                                      \
    do {                                                                        \
        if (!(condition)) {                                                     \
            die_c11();                                                          \
        }                                                                       \
    } while (0)
    if (x) {
        CHECKED(                    /* line: may run in both contexts */
            qemu_in_coroutine());   /* line: may run in both contexts */
        return plain_leaf();        /* line: runs in coroutine context; 2 up: asserts coroutine context here */
    }
    return plain_leaf();            /* line: may run in both contexts */
}

int calls_the_inline_one(int x)
{
    return in_another_macro(x);
}
