/* A coroutine only function, stored in every way that C has. */
#include "co.h"

typedef int coroutine_fn CoHandler(int sector);

struct driver {
    int coroutine_fn (*co_read)(int sector);
    int (*read)(int sector);
    int (*write)(int sector);
    int (*table[2])(int sector);
    int coroutine_mixed_fn (*either)(int sector);
    int no_coroutine_fn (*outside)(int sector);
    CoHandler *by_typedef;
    struct {
        int (*inner)(int sector);
    };
};

int coroutine_fn co_work(int sector)
{
    return sector;
}

int coroutine_mixed_fn mixed_work(int sector)
{
    return sector;
}

int plain_work(int sector)
{
    return sector;
}

/* One finding for each slot, with its other stores as notes. */
struct driver designated = {
    .co_read = co_work, /* near miss: the slot says so */
    .read = co_work, /* expect: error pointer-loses-mark: unmarked `driver::read` */
    .either = co_work, /* expect: error pointer-loses-mark: `coroutine_mixed_fn` `driver::either` */
    .outside = co_work, /* expect: error pointer-loses-mark: `no_coroutine_fn` `driver::outside` */
    .by_typedef = co_work, /* near miss: the typedef says so */
    .table = { plain_work, co_work }, /* expect: error pointer-loses-mark: `driver::table[]` */
    .inner = co_work, /* expect: error pointer-loses-mark: inner */
};

struct driver positional = { co_work, co_work, plain_work }; /* a note of the first finding */
struct driver others = { .read = plain_work, .write = mixed_work, .either = mixed_work }; /* near miss: they fit */

void assigned(struct driver *drv)
{
    drv->co_read = co_work; /* near miss: the slot says so */
    drv->write = co_work; /* expect: error pointer-loses-mark: `driver::write` */
}

int (*global)(int sector) = co_work; /* expect: error pointer-loses-mark: `global` */
int coroutine_fn (*marked_global)(int sector) = co_work; /* near miss: marked */

static void takes(int (*handler)(int sector), int coroutine_fn (*marked)(int sector))
{
    (void)handler;
    (void)marked;
}

void passed(void)
{
    takes(plain_work, co_work); /* near miss: the parameter is marked */
    takes(co_work, co_work); /* expect: error pointer-loses-mark: parameter 1 of `takes` */
}

void kept(int condition)
{
    int (*local)(int sector) = condition ? co_work : plain_work; /* expect: error pointer-loses-mark: `local` */

    takes(local, co_work);
}

int (*returned(void))(int sector)
{
    return co_work; /* expect: error pointer-loses-mark: unmarked result of `returned` */
}

struct pair {
    int (*one)(int sector);
    int (*other)(int sector);
};

#define BOTH(function) { .one = function, .other = function }

struct pair both = BOTH(co_work); /* expect: error pointer-loses-mark: `pair::one` */ /* expect: error pointer-loses-mark: `pair::other` */
