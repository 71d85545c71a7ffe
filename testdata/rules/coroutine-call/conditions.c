/* Calls in the conditions of statements. */
#include "co.h"

int no_coroutine_fn in_for(void)
{
    int i;

    for (i = co_leaf(); /* expect: error coroutine-call: co_leaf */
         i < dev_co_read(i); /* expect: error coroutine-call: dev_co_read */
         i += co_leaf()) { /* expect: error coroutine-call: co_leaf */
        plain_leaf(); /* near miss: an unmarked function */
    }
    return i;
}

int no_coroutine_fn in_while(void)
{
    while (co_leaf()) { /* expect: error coroutine-call: co_leaf */
        plain_leaf();
    }
    return 0;
}

int no_coroutine_fn in_do_while(void)
{
    do {
        plain_leaf();
    } while (co_leaf()); /* expect: error coroutine-call: co_leaf */
    return 0;
}

int no_coroutine_fn in_switch(void)
{
    switch (co_leaf()) { /* expect: error coroutine-call: co_leaf */
    case sizeof(co_leaf()): /* near miss: a constant */
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    default:
        return dev_read(1); /* near miss: the wrapper */
    }
}

int no_coroutine_fn in_if(void)
{
    if (plain_leaf() == 0 || co_leaf()) { /* expect: error coroutine-call: co_leaf */
        return 1;
    }
    return 0;
}

int no_coroutine_fn in_return(void)
{
    return !co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn in_a_subscript(int *table)
{
    return table[co_leaf()]; /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn in_a_cast(void)
{
    return (char)co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn in_a_compound_literal(void)
{
    return ((struct { int a; }){ co_leaf() }).a; /* expect: error coroutine-call: co_leaf */
}

int coroutine_fn all_inside(void)
{
    while (co_leaf()) { /* near miss: marked */
        switch (co_leaf()) {
        case 0:
            return co_leaf();
        }
    }
    return 0;
}
