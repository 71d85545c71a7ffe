/* unknown calls: 5 */
/* partly known calls: 4 */
/* Pointers that cannot be followed make a call unknown, also where some candidates are known. */
#include <stdarg.h>
#include <stdlib.h>
#include "co.h"

typedef void work(void);

static void harmless(void)
{
    plain_leaf();
}

work *of_a_library(void);
extern work *never_set;

/* 1: nothing is stored. */
void no_candidate(void)
{
    never_set();
}

/* 2: a library's result. */
void library_result(void)
{
    of_a_library()();
}

/* Partly known, since a library's result goes there, too. */
static work *partly = harmless;

void set_partly(void)
{
    partly = of_a_library();
}

void calls_partly(void)
{
    partly();
}

/* 3: an integer. */
void from_integer(uintptr_t address)
{
    work *f = (work *)address;

    f();
}

/* 4: variable arguments. */
void from_arguments(int count, ...)
{
    va_list list;
    work *f;

    va_start(list, count);
    f = va_arg(list, work *);
    va_end(list);
    f();
}

/* Partly known: inline assembly may change it. */
void from_assembly(void)
{
    work *f = harmless;

    __asm__("" : "+r"(f));
    f();
}

/* Partly known: what cannot be followed flows on. */
struct holder { work *run; };

static void keep(struct holder *h, work *f)
{
    h->run = f;
}

void keep_unknown(struct holder *h)
{
    keep(h, harmless);
    keep(h, partly);
}

void calls_kept(struct holder *h)
{
    h->run();
}

/* 5: a parameter of a function that others may call. */
void exported(work *given)
{
    given();
}

/* Partly known: a library may write it. */
int library_fill(work **out);

void filled(void)
{
    work *f = harmless;

    library_fill(&f);
    f();
}

/* Not: all that is stored is known. */
static work *known = harmless;

void calls_known(void)
{
    known();
}

static void only_from_here(work *given)
{
    given();
}

void gives(void)
{
    only_from_here(harmless);
}
