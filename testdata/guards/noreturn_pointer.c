/* A call through a pointer whose type says that it does not return. */
#include "co.h"

typedef void stop_fn(int) __attribute__((noreturn));
typedef void (*stop_pointer)(int) __attribute__((noreturn));

struct ops {
    void (*die)(int) __attribute__((noreturn));
    void (*warn)(int);
    stop_fn *stop;
    void (*(*choose)(void))(int) __attribute__((noreturn));
    stop_fn *(*get)(void);
    stop_fn *table[2];
    void (*run)(stop_fn *handler);
};

int coroutine_mixed_fn field(struct ops *o)
{
    if (!qemu_in_coroutine()) {
        o->die(1);
    }
    return co_leaf(); /* near miss: the others stopped */
}

int coroutine_mixed_fn field_that_returns_hit(struct ops *o)
{
    if (!qemu_in_coroutine()) {
        o->warn(1);
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int coroutine_mixed_fn typedef_of_a_function(struct ops *o)
{
    if (!qemu_in_coroutine()) {
        o->stop(1);
    }
    return co_leaf(); /* near miss: the others stopped */
}

int coroutine_mixed_fn parameter(stop_pointer stop)
{
    if (!qemu_in_coroutine()) {
        stop(1);
    }
    return co_leaf(); /* near miss: the others stopped */
}

int coroutine_mixed_fn parameter_written_as_a_function(stop_fn stop)
{
    if (!qemu_in_coroutine()) {
        (*stop)(1);
    }
    return co_leaf(); /* near miss: the others stopped */
}

int coroutine_mixed_fn variable(struct ops *o)
{
    stop_fn *stop = o->stop;

    if (!qemu_in_coroutine()) {
        stop(1);
    }
    return co_leaf(); /* near miss: the others stopped */
}

int coroutine_mixed_fn element(struct ops *o)
{
    if (!qemu_in_coroutine()) {
        o->table[1](1);
    }
    return co_leaf(); /* near miss: the others stopped */
}

int coroutine_mixed_fn result_not_called_hit(struct ops *o)
{
    if (!qemu_in_coroutine()) {
        o->get();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int coroutine_mixed_fn result_called(struct ops *o)
{
    if (!qemu_in_coroutine()) {
        o->get()(1);
    }
    return co_leaf(); /* near miss: the others stopped */
}

int coroutine_mixed_fn argument_hit(struct ops *o)
{
    if (!qemu_in_coroutine()) {
        o->run(o->stop);
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int coroutine_mixed_fn unreachable(void)
{
    if (!qemu_in_coroutine()) {
        __builtin_unreachable(); /* expect: warning assert-contradicts-mark: asserts coroutine context */
    }
    return co_leaf(); /* near miss: the others do not exist */
}
