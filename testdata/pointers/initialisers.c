/* Which member an initialiser is for: designators of any depth, elided braces, members without a name, unions. */
#include "co.h"

static void blocks(void)
{
    block_leaf();
}

static void harmless(void)
{
    plain_leaf();
}

/* A designator of several steps. */
struct device { int number; struct { void (*f)(void); void (*g)(void); } in; };
static const struct device devices[] = { [2].in.f = blocks, [1].in.g = harmless };

void coroutine_fn device_f(int i)
{
    devices[i].in.f(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn device_g(int i)
{
    devices[i].in.g(); /* near miss */
}

/* By position, what follows a designator is the next member there. */
struct follower { int number; struct { void (*f)(void); void (*g)(void); } in; void (*h)(void); };
static const struct follower followers[] = { [1].in.f = harmless, blocks, harmless, 7, harmless };

void coroutine_fn follower_f(int i)
{
    followers[i].in.f(); /* near miss */
}

void coroutine_fn follower_g(int i)
{
    followers[i].in.g(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn follower_h(int i)
{
    followers[i].h(); /* near miss */
}

/* A range, and what follows it. */
struct ranged { void (*tab[4])(void); void (*after)(void); };
static const struct ranged ranged = { .tab[0 ... 2] = harmless, harmless, blocks };
struct all_ranged { void (*tab[4])(void); void (*after)(void); };
static const struct all_ranged all_ranged = { .tab[0 ... 2] = blocks, harmless, harmless };

void coroutine_fn ranged_tab(int i)
{
    ranged.tab[i](); /* near miss */
}

void coroutine_fn ranged_after(void)
{
    ranged.after(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn all_ranged_tab(int i)
{
    all_ranged.tab[i](); /* expect: warning blocking-call: candidates */
}

void coroutine_fn all_ranged_after(void)
{
    all_ranged.after(); /* near miss */
}

/* A range of records. */
struct slotted { void (*f)(void); void (*g)(void); };
static const struct slotted slotted[4] = { [0 ... 1].g = blocks, [2 ... 3] = { harmless, harmless } };

void coroutine_fn slotted_f(int i)
{
    slotted[i].f(); /* near miss */
}

void coroutine_fn slotted_g(int i)
{
    slotted[i].g(); /* expect: warning blocking-call: candidates */
}

/* Arrays of arrays, with all braces, with some, and with none. */
struct grid { void (*grid[2][2])(void); void (*last)(void); };
static const struct grid braced = { { { harmless }, { harmless, harmless } }, blocks };
struct bare_grid { void (*grid[2][2])(void); void (*last)(void); };
static const struct bare_grid bare = { harmless, harmless, harmless, harmless, blocks };
struct half_grid { void (*grid[2][2])(void); void (*last)(void); };
static const struct half_grid half = { { harmless, harmless, { blocks } }, harmless };

void coroutine_fn grid_all(int i)
{
    braced.grid[i][i](); /* near miss */
    bare.grid[i][i](); /* near miss */
    half.last(); /* near miss */
}

void coroutine_fn grid_last(void)
{
    braced.last(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn bare_last(void)
{
    bare.last(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn half_all(int i)
{
    half.grid[1][i](); /* expect: warning blocking-call: blocks */
}

/* Elided braces of an array of records, then more members. */
struct bus { struct { void (*up)(void); int speed; void (*down)(void); } port[2]; void (*reset)(void); };
static const struct bus bus = { harmless, 1, harmless, harmless, 2, blocks, harmless };

void coroutine_fn bus_up(int i)
{
    bus.port[i].up(); /* near miss */
}

void coroutine_fn bus_down(int i)
{
    bus.port[i].down(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn bus_reset(void)
{
    bus.reset(); /* near miss */
}

/* A union is for its first member, or for the designated one. */
struct first_of { union { void (*a)(void); long raw; } u; void (*next)(void); };
static const struct first_of first_of = { blocks, harmless };
struct named_of { union { void (*a)(void); long raw; } u; void (*next)(void); };
static const struct named_of named_of = { .u.raw = 0, blocks };
struct last_of { union { long raw; void (*a)(void); }; void (*next)(void); };
static const struct last_of last_of = { .a = blocks, harmless };

void coroutine_fn union_first(void)
{
    first_of.u.a(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn union_first_next(void)
{
    first_of.next(); /* near miss */
    last_of.next(); /* near miss */
}

void coroutine_fn union_named_next(void)
{
    named_of.next(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn union_last(void)
{
    last_of.a(); /* expect: warning blocking-call: blocks */
}

/* Bit-fields without a name take no initialiser, whether first, last, or without width. */
struct bits { int : 3; void (*first)(void); int low : 2, : 0, : 4; void (*second)(void); int : 7; };
static const struct bits bits = { harmless, 1, blocks };

void coroutine_fn bits_first(void)
{
    bits.first(); /* near miss */
}

void coroutine_fn bits_second(void)
{
    bits.second(); /* expect: warning blocking-call: blocks */
}

/* Anonymous records take theirs. */
struct anonymous { struct { void (*a)(void); union { void (*b)(void); long raw; }; }; void (*c)(void); };
static const struct anonymous anonymous = { harmless, blocks, harmless };
struct more_anonymous { struct { void (*a)(void); struct { void (*b)(void); }; }; void (*c)(void); };
static const struct more_anonymous more_anonymous = { .a = harmless, harmless, blocks };

void coroutine_fn anonymous_a(void)
{
    anonymous.a(); /* near miss */
    anonymous.c(); /* near miss */
    more_anonymous.b(); /* near miss */
}

void coroutine_fn anonymous_b(void)
{
    anonymous.b(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn anonymous_c(void)
{
    more_anonymous.c(); /* expect: warning blocking-call: blocks */
}

/* A text is one initialiser, its letters are several. */
struct named { char name[4]; void (*f)(void); void (*g)(void); };
static const struct named text = { "abc", blocks, harmless };
struct spelled { char name[4]; void (*f)(void); void (*g)(void); };
static const struct spelled letters = { 'a', 'b', 'c', 0, harmless, blocks };

void coroutine_fn text_f(void)
{
    text.f(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn text_g(void)
{
    text.g(); /* near miss */
    letters.f(); /* near miss */
}

void coroutine_fn letters_g(void)
{
    letters.g(); /* expect: warning blocking-call: blocks */
}

/* An expression of a record's type is for the whole record. */
struct both { void (*a)(void); void (*b)(void); };
struct outer { struct both in; void (*c)(void); };

void coroutine_fn whole(struct both given)
{
    struct outer one = { given, blocks };

    one.in.a(); /* near miss: nothing is stored there */
    one.c(); /* expect: warning blocking-call: blocks */
}

/* A flexible array, a pointer into a compound literal, a table of a typedef, and what is `static` in a body. */
struct flexible { int count; void (*list[])(void); };
static struct flexible flexible = { 2, { harmless, blocks } };
struct chained { const struct chained *next; void (*f)(void); void (*g)(void); };
static const struct chained chained = { &(const struct chained) { 0, blocks, harmless }, harmless };
typedef void (*const table_of_two[2])(void);
static table_of_two two = { harmless, blocks };

void coroutine_fn flexible_list(int i)
{
    flexible.list[i](); /* expect: warning blocking-call: candidates */
}

void coroutine_fn chained_f(const struct chained *c)
{
    c->next->f(); /* expect: warning blocking-call: candidates */
}

void coroutine_fn chained_g(const struct chained *c)
{
    c->g(); /* near miss */
}

void coroutine_fn typedef_of_table(int i)
{
    two[i](); /* expect: warning blocking-call: candidates */
}

void coroutine_fn static_in_a_body(int i)
{
    static void (*const table[])(void) = { [1] = blocks, [0] = harmless };

    table[i](); /* expect: warning blocking-call: candidates */
}

/* Old spellings of designators, an index by name, and a scalar in braces. */
struct old { void (*f)(void); void (*g)(void); };
static const struct old old = { g: blocks, f: harmless };
enum { ONE, OTHER };
static void (*const by_name[])(void) = { [OTHER] = harmless, [ONE] harmless };
struct scalar { void (*f)(void); void (*g)(void); };
static const struct scalar scalar = { { harmless }, { blocks } };

void coroutine_fn old_f(int i)
{
    old.f(); /* near miss */
    by_name[i](); /* near miss */
    scalar.f(); /* near miss */
}

void coroutine_fn old_g(void)
{
    old.g(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn scalar_g(void)
{
    scalar.g(); /* expect: warning blocking-call: blocks */
}

/* Marks are found in the right place, too. */
struct command { const char *name; int coroutine_fn (*co_run)(void); int (*run)(void); };
static const struct command commands[] = {
    [0].co_run = co_leaf, /* near miss: the member is marked */
    [1].run = co_leaf, /* expect: error pointer-loses-mark: command::run */
};
static const struct command elided[] = { "r", co_leaf, plain_leaf, "s", 0, plain_leaf }; /* near miss */
static const struct command after[] = { { .name = "t", co_leaf }, [2].name = "u", co_leaf, plain_leaf }; /* near miss */

int coroutine_fn use_commands(int i)
{
    return commands[i].co_run() + elided[i].co_run() + after[i].co_run();
}
