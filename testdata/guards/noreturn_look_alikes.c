/* Functions that look as if they never returned, and do. */
#include "co.h"

void test_noreturn(void) __attribute__((cold));
void run_with(void (*stop)(void) __attribute__((noreturn))) __attribute__((cold));
void (*get_stop(void))(int) __attribute__((cold));
_Noreturn void stop_now(void);

int after_a_name(void)
{
    test_noreturn();
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int after_a_callback(void (*stop)(void) __attribute__((noreturn)))
{
    run_with(stop);
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int after_a_result(void)
{
    get_stop();
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int after_the_real_one(void)
{
    stop_now();
    return co_leaf(); /* near miss: dead code */
}

int guarded_by_a_name(void)
{
    if (!qemu_in_coroutine()) {
        test_noreturn();
    }
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int wide_boolean(void)
{
    bool in = 2;

    if (in == 1) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}
