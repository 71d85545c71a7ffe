/* flags: -std=gnu2x */
/* What C23 adds: constexpr, digit separators, true, false and nullptr as words, [[noreturn]]. */
#include "co.h"

constexpr bool never = false;
constexpr int thousand = 1'000;
[[noreturn]] void stop(void);

void separated_digits(int a)
{
    for (; a < 1'000 && qemu_in_coroutine(); a++) {
        co_leaf(); /* near miss: the condition holds in the body */
    }
}

void separated_digits_hit(int a)
{
    for (a = 1'0; a < 0x1'F; a += qemu_in_coroutine()) {
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
}

void prefixed_characters(int a)
{
    for (; a != u8';' && qemu_in_coroutine(); a++) {
        co_leaf(); /* near miss: the condition holds in the body */
    }
}

int no_coroutine_fn constant(void)
{
    if (never || thousand != 1000) {
        return co_leaf(); /* near miss: dead */
    }
    return 0;
}

int no_coroutine_fn constant_of_the_body_hit(void)
{
    constexpr bool always = true;

    if (always) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int no_coroutine_fn null_pointer(void)
{
    if (nullptr) {
        return co_leaf(); /* near miss: dead */
    }
    return 0;
}

int coroutine_mixed_fn attribute(void)
{
    if (!qemu_in_coroutine()) {
        stop(); /* expect: warning assert-contradicts-mark: asserts coroutine context */
    }
    return co_leaf(); /* near miss: the others stopped */
}
