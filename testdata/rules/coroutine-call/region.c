/* A block that a macro runs in another thread, while the coroutine waits. */
#include "co.h"

#define v9fs_co_run_in_worker(code_block)       \
    do {                                        \
        qemu_coroutine_yield();                 \
        do {                                    \
            code_block;                         \
        } while (0);                            \
        qemu_coroutine_yield();                 \
    } while (0)

static int blocks(void)
{
    return block_leaf(); /* near miss: who calls it may block */
}

static int waits(void)
{
    return block_leaf(); /* near miss: likewise */
}

int coroutine_fn reads(int n);
int coroutine_fn reads(int n)
{
    int err = 0;

    v9fs_co_run_in_worker({ /* expect: error coroutine-call: in a block that runs in another thread */
        err = blocks(); /* near miss: it may block there */
        if (err < 0) {
            err = block_leaf(); /* near miss: likewise */
        }
        err += co_leaf();
        err += plain_leaf(); /* near miss: nothing is known of it */
    });
    co_leaf(); /* near miss: the coroutine goes on */
    return err + waits(); /* expect: error blocking-call: leads to `no_coroutine_fn` `block_leaf` */
}

int coroutine_fn yields(void);
int coroutine_fn yields(void)
{
    v9fs_co_run_in_worker({ /* expect: error coroutine-call: `qemu_coroutine_yield` called from `yields` in a block */
        qemu_coroutine_yield();
    });
    return 0;
}

int plain(void);
int plain(void)
{
    v9fs_co_run_in_worker({ /* expect: error coroutine-call: `qemu_coroutine_yield` called from unmarked `plain` */
        block_leaf();
    });
    return 0;
}
