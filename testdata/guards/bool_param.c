/*
 * A condition on a boolean parameter is no predicate, but it leaves the
 * question to the caller: a warning, as long as nobody changes the parameter.
 */
#include "co.h"

void set_flag(bool *flag);

int conditional(bool locked)
{
    if (locked) {
        return co_leaf(); /* expect: warning coroutine-call: co_leaf */
    }
    return plain_leaf();
}

int conditional_else(bool locked)
{
    if (locked) {
        return plain_leaf();
    } else {
        return co_leaf(); /* expect: warning coroutine-call: co_leaf */
    }
}

int conditional_early_return(bool locked)
{
    if (!locked) {
        return plain_leaf();
    }
    return co_leaf(); /* expect: warning coroutine-call: co_leaf */
}

int conditional_const(const bool locked)
{
    if (!locked) {
        return plain_leaf();
    }
    return co_leaf(); /* expect: warning coroutine-call: co_leaf */
}

int conditional_and(bool locked, int x)
{
    return x && locked && co_leaf(); /* expect: warning coroutine-call: co_leaf */
}

int conditional_ternary(bool locked)
{
    return locked ? co_leaf() : plain_leaf(); /* expect: warning coroutine-call: co_leaf */
}

int conditional_inside_another(bool locked, int x)
{
    if (x) {
        if (locked) {
            return co_leaf(); /* expect: warning coroutine-call: co_leaf */
        }
    }
    return 0;
}

int conditional_twice(bool locked)
{
    int r = 0;

    if (locked) {
        r += co_leaf(); /* expect: warning coroutine-call: co_leaf */
        r += co_leaf(); /* near miss: one mark would cure both, so it is the finding above */
    }
    return r;
}

int after_the_condition(bool locked)
{
    if (locked) {
        plain_leaf();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int modified(bool locked)
{
    locked = plain_leaf();
    if (locked) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int modified_by_operator(bool locked)
{
    locked &= plain_leaf();
    if (locked) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int address_taken(bool locked)
{
    set_flag(&locked);
    if (locked) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int integer_parameter(int locked)
{
    if (locked) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int pointer_parameter(bool *locked)
{
    if (*locked) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int local_variable(void)
{
    bool locked = plain_leaf();

    if (locked) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int parameter_and_predicate(bool locked)
{
    if (locked && qemu_in_coroutine()) {
        return co_leaf(); /* near miss: the predicate decides */
    }
    return 0;
}

int parameter_and_wrong_predicate(bool locked)
{
    if (locked && !qemu_in_coroutine()) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int coroutine_mixed_fn conditional_in_mixed(bool locked)
{
    if (locked) {
        return co_leaf(); /* expect: warning coroutine-call: co_leaf */
    }
    return 0;
}

int no_coroutine_fn conditional_outside(bool locked)
{
    if (locked) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int coroutine_fn conditional_inside(bool locked)
{
    if (locked) {
        return co_leaf(); /* near miss: the function bears the mark */
    }
    return 0;
}
