/* The assert contradicts a mark that both sides bear. */
#include "door.h"

int coroutine_mixed_fn door_open(void)
{
    int r = plain_leaf();

    assert(!qemu_in_coroutine()); /* expect: warning assert-contradicts-mark: door_open */
    return r;
}

int coroutine_mixed_fn door_close(void)
{
    if (!qemu_in_coroutine()) {
        assert(!qemu_in_coroutine()); /* near miss: says what is known there anyway */
    }
    return plain_leaf();
}
