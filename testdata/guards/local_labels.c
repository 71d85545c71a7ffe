/* Local labels of statement expressions share their names. */
#include "co.h"

#define TRY(step, other)                        \
    ({                                          \
        __label__ out;                          \
        int _r = 0;                             \
        if (plain_leaf()) {                     \
            goto out;                           \
        }                                       \
        _r = (step);                            \
        if (_r) {                               \
            return _r;                          \
        }                                       \
        other;                                  \
        for (;;) { }                            \
    out:                                        \
        _r;                                     \
    })

int two_labels_hit(void)
{
    int r = TRY(0, 0);

    if (!qemu_in_coroutine()) {
        return r;
    }
    return TRY(0, block_leaf()); /* expect: error blocking-call: block_leaf */
}

int no_jump_past_the_guard(void)
{
    int r = ({
        __label__ out;
        if (plain_leaf()) {
            goto out;
        }
    out:
        0;
    });

    if (!qemu_in_coroutine()) {
        return r;
    }
    r += ({
        __label__ out;
        if (plain_leaf()) {
            goto out;
        }
    out:
        co_leaf(); /* near miss: the jump before the guard goes to the other label */
    });
    return r;
}

int no_coroutine_fn a_jump_to_its_own_label(void)
{
    int r = ({
        __label__ out;
        goto out;
    out:
        0;
    });

    if (r == 0) {
        return 0;
    }
    ({
        __label__ out;
        goto out;
        co_leaf(); /* near miss: jumped over */
    out:
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    });
    return r;
}
