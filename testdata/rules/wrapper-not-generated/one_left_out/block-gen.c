/* This file is generated. */
#include "disk.h"

struct disk_read_call {
    BdrvPollCo poll_state;
    int ret;
    int sector;
};

static void coroutine_fn disk_co_read_entry(void *opaque)
{
    struct disk_read_call *s = opaque;

    s->ret = disk_co_read(s->sector);
    s->poll_state.in_progress = false;

    aio_wait_kick();
}

int disk_read(int sector)
{
    if (qemu_in_coroutine()) {
        return disk_co_read(sector);
    } else {
        struct disk_read_call s = {
            .poll_state.ctx = qemu_get_current_aio_context(),
            .poll_state.in_progress = true,
            .sector = sector,
        };

        s.poll_state.co = qemu_coroutine_create(disk_co_read_entry, &s);
        bdrv_poll_co(&s.poll_state);
        return s.ret;
    }
}
