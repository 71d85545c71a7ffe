/* Slots of which a flag says what they demand: the field beside them, or another argument of the call. */
#include "co.h"

typedef struct HMPCommand {
    const char *name;
    int (*cmd)(int sector);
    bool coroutine;
    int (*help)(int sector);
} HMPCommand;

enum {
    QCO_NO_OPTIONS = 0,
    QCO_ALLOW_OOB = 2,
    QCO_COROUTINE = 8,
};

static int coroutine_fn co_work(int sector)
{
    return sector;
}

static int plain_work(int sector)
{
    return sector;
}

static int no_coroutine_fn outside_work(int sector)
{
    return sector;
}

#define WITH_FLAG QCO_COROUTINE

extern const bool decided_elsewhere;

const HMPCommand commands[] = {
    { .name = "set", .cmd = co_work, .coroutine = true }, /* near miss: the flag says so */
    { .coroutine = 1, .cmd = co_work }, /* near miss: in either order */
    { .cmd = co_work, .coroutine = false }, /* expect: error pointer-loses-mark: stored in `HMPCommand::cmd` where `HMPCommand::coroutine` is not set */
    { .cmd = co_work, .name = "unset" }, /* expect: error pointer-loses-mark: where `HMPCommand::coroutine` is not set */
    { "positional", co_work, true }, /* near miss: without designators */
    { "positional", co_work }, /* expect: error pointer-loses-mark: where `HMPCommand::coroutine` is not set */
    { .cmd = plain_work, .coroutine = true }, /* near miss: it runs in coroutines now */
    { .cmd = plain_work }, /* near miss: it bears no mark */
    { .cmd = outside_work }, /* near miss: it runs outside of coroutines */
    { .cmd = outside_work, .coroutine = true }, /* expect: error pointer-gains-mark: `HMPCommand::cmd` where `HMPCommand::coroutine` is set, which is called in coroutine context */
    { .help = co_work, .coroutine = true }, /* expect: error pointer-loses-mark: unmarked `HMPCommand::help` */
};

void qmp_register_command(int *list, const char *name, int (*fn)(int sector), int options);
void other_register(int (*fn)(int sector), int options);

void commands_init(int options, HMPCommand *table);
void commands_init(int options, HMPCommand *table)
{
    HMPCommand local = { .cmd = co_work, .coroutine = decided_elsewhere }; /* near miss: its value is not known */

    qmp_register_command(0, "set", co_work, QCO_COROUTINE);                   /* near miss: the flag says so */
    qmp_register_command(0, "both", co_work, QCO_ALLOW_OOB | QCO_COROUTINE);  /* near miss: among others */
    qmp_register_command(0, "macro", co_work, WITH_FLAG);                     /* near miss: through a macro */
    qmp_register_command(0, "oob", co_work, QCO_ALLOW_OOB); /* expect: error pointer-loses-mark: parameter 3 of `qmp_register_command` without `QCO_COROUTINE` */
    qmp_register_command(0, "none", co_work, 0); /* expect: error pointer-loses-mark: without `QCO_COROUTINE` */
    qmp_register_command(0, "named", co_work, QCO_NO_OPTIONS); /* expect: error pointer-loses-mark: without `QCO_COROUTINE` */
    qmp_register_command(0, "number", co_work, 8);       /* near miss: a number may have the bit */
    qmp_register_command(0, "variable", co_work, options); /* near miss: its value is not known */
    qmp_register_command(0, "plain", plain_work, QCO_COROUTINE); /* near miss: no creator of coroutines */
    qmp_register_command(0, "outside", outside_work, QCO_COROUTINE); /* expect: error pointer-gains-mark: with `QCO_COROUTINE`, which is called in coroutine context */
    other_register(co_work, QCO_COROUTINE); /* expect: error pointer-loses-mark: unmarked parameter 1 of `other_register` */
    table->cmd = co_work; /* near miss: what is beside it is not said here */
    table->cmd = local.cmd;
}
