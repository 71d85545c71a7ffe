/* The same, written by people, who can add the mark. */
#include "co.h"

enum { QCO_COROUTINE = 8 };

void qmp_register_command(int *list, const char *name, void (*fn)(void), int options);

static void marshal_flush(void)
{
    co_leaf(); /* expect: error coroutine-call: mark `marshal_flush` as `coroutine_fn`: all its callers run in coroutine context */
}

void more_commands_init(void);
void more_commands_init(void)
{
    qmp_register_command(0, "flush", marshal_flush, QCO_COROUTINE);
}
