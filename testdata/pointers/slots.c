/* Slots of unusual shape, and values that come by unusual ways. */
#include <string.h>
#include "co.h"

typedef void work(void);

static void blocks(void)
{
    block_leaf();
}

static void harmless(void)
{
    plain_leaf();
}

/* An array that is passed, as an array and as a pointer; with a length that is not constant; a pointer to an array. */
static void run_list(work *list[], int n)
{
    list[n]();
}

static void run_pointer(work *const *list, int n)
{
    while (n--) {
        (*list++)();
    }
}

static work *const passed_list[] = { harmless, blocks };
static work *const calm_list[] = { harmless, harmless };

void coroutine_fn passes_a_list(void)
{
    work *list[2] = { harmless, blocks };

    run_list(list, 1); /* expect: warning blocking-call: blocks */
}

void coroutine_fn passes_a_pointer(void)
{
    run_pointer(passed_list, 2); /* expect: warning blocking-call: blocks */
}

void coroutine_fn variable_length(int n)
{
    work *list[n];

    list[0] = blocks;
    list[n - 1](); /* expect: warning blocking-call: blocks */
}

void coroutine_fn pointer_to_an_array(void)
{
    work *const (*table)[2] = &passed_list;

    (*table)[1](); /* expect: warning blocking-call: blocks */
}

void coroutine_fn pointer_to_a_calm_array(void)
{
    work *const (*table)[2] = &calm_list;

    (*table)[1](); /* near miss */
}

/* Slots in tables, and in records. */
static work *first_hook = harmless, *second_hook = harmless, *third_hook = harmless;
static work **const hooks[] = { &first_hook, &second_hook };
struct registration { const char *name; work **slot; };
static const struct registration registrations[] = { { "third", &third_hook } };

void install(int i)
{
    *hooks[i] = blocks;
    *registrations[i].slot = blocks;
}

void coroutine_fn use_second(void)
{
    second_hook(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_third(void)
{
    third_hook(); /* expect: warning blocking-call: blocks */
}

/* Records by value: as results, as arguments, chosen, in memory of the heap, through `memcpy`. */
struct made { work *run, *stop; };

static struct made make(void)
{
    return (struct made) { .run = blocks, .stop = harmless };
}

void coroutine_fn result_by_value(void)
{
    make().run(); /* expect: warning blocking-call: blocks */
    make().stop(); /* near miss */
}

struct ops { work *run, *stop; };
static const struct ops one = { blocks, harmless }, other = { harmless, harmless };

static void get(struct ops *out, int i)
{
    *out = i ? one : other;
}

void coroutine_fn out_record(int i)
{
    struct ops ops;

    get(&ops, i);
    ops.stop(); /* near miss */
    ops.run(); /* expect: warning blocking-call: blocks */
}

struct choice { work *run, *stop; };
static const struct choice left = { blocks, harmless }, right = { harmless, harmless };

void coroutine_fn chosen_record(int i)
{
    (i ? &left : &right)->stop(); /* near miss */
    (i ? &left : &right)->run(); /* expect: warning blocking-call: blocks */
}

struct heap_ops { work *run, *stop; };

struct heap_ops *allocate(void)
{
    struct heap_ops *ops = malloc(sizeof *ops);

    *ops = (struct heap_ops) { blocks, harmless };
    return ops;
}

void coroutine_fn of_the_heap(void)
{
    struct heap_ops *ops = allocate();

    ops->stop(); /* near miss */
    ops->run(); /* expect: warning blocking-call: blocks */
}

struct list_of { work *list[4]; };

void fill_list(struct list_of *l)
{
    memcpy(l->list, passed_list, sizeof passed_list);
}

void coroutine_fn use_list(struct list_of *l)
{
    l->list[3](); /* expect: warning blocking-call: blocks */
}

/* An assignment of records whose types differ. */
struct version1 { work *run; };
struct version2 { work *call; };
static const struct version2 version2 = { harmless };

void convert(struct version2 *to)
{
    struct version1 from = { blocks };

    *(struct version1 *)to = from;
}

void coroutine_fn use_converted(struct version2 *v)
{
    v->call(); /* expect: warning blocking-call: blocks */
}

/* In a condition; through a function that returns what it is given; by the type of a function. */
static work *same(work *f)
{
    return f;
}

void coroutine_fn in_a_condition(void)
{
    work *f;

    if ((f = same(blocks)) != NULL) {
        f(); /* expect: warning blocking-call: blocks */
    }
}

void coroutine_fn by_type(void)
{
    __typeof__(blocks) *f = &blocks;

    f(); /* expect: warning blocking-call: blocks */
}

/* Chosen while it is compiled. */
void coroutine_fn chosen_by_the_compiler(void)
{
    work *f = __builtin_choose_expr(sizeof(int) == 1, blocks, harmless);
    work *g = __builtin_choose_expr(sizeof(int) > 1, blocks, harmless);

    f(); /* near miss */
    g(); /* expect: warning blocking-call: blocks */
}

/* Variables of one name are different ones. */
void coroutine_fn shadowed(void)
{
    work *f = harmless;

    {
        work *f = blocks;
        (void)f;
    }
    f(); /* near miss */
}

void coroutine_fn shadows(void)
{
    work *f = harmless;

    (void)f;
    {
        work *f = blocks;
        f(); /* expect: warning blocking-call: blocks */
    }
}

/* An old style of definition; an atomic pointer. */
static void calls_given(f, n)
    work *f;
    int n;
{
    f();
}

void coroutine_fn old_style(void)
{
    calls_given(blocks, 1); /* expect: error blocking-call: blocks */
}

static work *_Atomic atomic_hook = blocks;

void coroutine_fn use_atomic(void)
{
    atomic_hook(); /* expect: warning blocking-call: blocks */
}

/* Round and round. */
static work *ping = harmless, *pong = harmless, *calm_ping = harmless, *calm_pong = harmless;

void swap(void)
{
    work *kept = ping;

    ping = pong;
    pong = kept;
}

void swap_calm(void)
{
    work *kept = calm_ping;

    calm_ping = calm_pong;
    calm_pong = kept;
}

void serve(void)
{
    ping = blocks;
}

void coroutine_fn use_pong(void)
{
    pong(); /* expect: warning blocking-call: blocks */
}

void coroutine_fn use_calm_pong(void)
{
    calm_pong(); /* near miss */
}
