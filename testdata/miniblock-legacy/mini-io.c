/*
 * A tool on top of the old block layer.  Teaches the view from the outside:
 * wrappers, an explicit coroutine, and one call that wants neither.
 */
#include "qemu/osdep.h"
#include "block/coroutines.h"

const char *mini_version(void);

typedef struct ReadCo {
    BlockDriverState *bs;
    int ret;
} ReadCo;

static void coroutine_fn read_entry(void *opaque)
{
    ReadCo *data = opaque;
    BdrvChild child = { .bs = data->bs };
    uint8_t byte;

    data->ret = bdrv_co_pread(&child, 0, 1, &byte); /* near miss: a coroutine's entry */
    data->ret |= bdrv_pread(&child, 1, 1, &byte); /* expect: warning mixed-call: bdrv_co_pread */
}

static int cmd_read_co(BlockDriverState *bs)
{
    ReadCo data = { .bs = bs, .ret = 1 };

    qemu_coroutine_enter(qemu_coroutine_create(read_entry, &data)); /* near miss: the way in */
    BDRV_POLL_WHILE(bs, data.ret == 1);
    return data.ret;
}

static int cmd_read(BlockDriverState *bs)
{
    BdrvChild child = { .bs = bs };
    uint8_t byte;

    return bdrv_pread(&child, 0, 1, &byte); /* near miss: the wrapper */
}

static int cmd_zeroed(BlockDriverState *bs)
{
    BdrvChild child = { .bs = bs };

    return bdrv_is_zeroed(&child, 0) == 1; /* expect: error coroutine-call: bdrv_is_zeroed */
}

static int cmd_fill(BlockDriverState *bs)
{
    BdrvChild child = { .bs = bs };

    return bdrv_fill(&child, 0, 0xaa); /* near miss: the root cause is in bdrv_fill */
}

int main(int argc, char **argv)
{
    BlockDriverState *bs;
    int ret = 1;

    if (argc < 2) {
        return mini_version()[0] != '6';
    }
    bs = bdrv_open("memory");
    if (!strcmp(argv[1], "read")) {
        ret = cmd_read(bs);
    } else if (!strcmp(argv[1], "read-co")) {
        ret = cmd_read_co(bs);
    } else if (!strcmp(argv[1], "zeroed")) {
        ret = cmd_zeroed(bs);
    } else if (!strcmp(argv[1], "fill")) {
        ret = cmd_fill(bs);
    }
    return ret;
}
