/* The mark of a table or of a parameter is the mark of what is taken out of it, by whatever pointer. */
#include "co.h"

typedef int coroutine_fn CoHandler(int sector);
typedef int Handler(int sector);

static int coroutine_fn co_work(int sector)
{
    return sector;
}

static CoHandler *const table[] = { co_work, NULL };
struct driver { int coroutine_fn (*co_table[2])(int sector); CoHandler *co_work; Handler *plain; };
static const struct driver driver = { .co_table = { [1] = co_work } };

int coroutine_fn over_a_marked_table(void)
{
    int sum = 0;

    for (CoHandler *const *p = table; *p; p++) {
        sum += (*p)(1); /* near miss: in a coroutine */
    }
    return sum;
}

int no_coroutine_fn over_a_marked_table_outside(void)
{
    int sum = 0;

    for (CoHandler *const *p = table; *p; p++) {
        sum += (*p)(1); /* expect: error coroutine-call */
    }
    return sum;
}

int no_coroutine_fn element(const struct driver *d, int i)
{
    return d->co_table[i](1); /* expect: error coroutine-call: co_table */
}

int no_coroutine_fn kept_element(const struct driver *d, int i)
{
    Handler *kept = d->co_table[i]; /* expect: error pointer-loses-mark: kept */

    return kept(1);
}

void returned_or_null(struct driver *d, int i)
{
    d->plain = i ? d->co_table[i] : NULL; /* expect: error pointer-loses-mark: driver::plain */
    d->co_work = d->co_table[i]; /* near miss */
}

static int coroutine_fn run_all(CoHandler *const *list)
{
    return (*list)(1);
}

int coroutine_fn passes_a_marked_table(void)
{
    return run_all(table); /* near miss */
}

/* Who only keeps or frees a pointer to marked slots calls nothing. */
void release(void *memory);

struct list { CoHandler **tab; Handler **plain; void *kept; };

int coroutine_fn list_item(struct list *l, int i)
{
    return l->tab[i](1);
}

void list_free(struct list *l)
{
    l->kept = l->tab; /* near miss: nothing is read through it */
    release(l->tab); /* near miss */
}

int no_coroutine_fn list_loses(struct list *l, int i)
{
    l->plain = l->tab; /* expect: error pointer-loses-mark: `list::tab` */
    return l->plain[i](1);
}

void forgets(void)
{
    CoHandler *const *first = table;

    release((void *)first); /* near miss */
}
