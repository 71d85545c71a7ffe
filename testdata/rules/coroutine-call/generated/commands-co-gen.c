/* Written by a generator, one may think: nobody can mark anything here, so where control certainly is in a coroutine, that is
 * fine. */
#include "co.h"

enum { QCO_COROUTINE = 8 };

void qmp_register_command(int *list, const char *name, void (*fn)(void), int options);

static void marshal_read(void)
{
    co_leaf(); /* near miss: it is registered to run in a coroutine */
}

static void marshal_write(void)
{
    co_leaf(); /* expect: error coroutine-call: from unmarked `marshal_write` */
}

void commands_init(void);
void commands_init(void)
{
    qmp_register_command(0, "read", marshal_read, QCO_COROUTINE);
    qmp_register_command(0, "write", marshal_write, 0);
}
