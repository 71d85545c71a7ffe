/*
 * Generated when there was a declaration of disk_trim() with a mark.
 */
#include "disk.h"

typedef struct DiskRead { BdrvPollCo poll_state; int ret; int sector; } DiskRead;

static void coroutine_fn disk_co_read_entry(void *opaque)
{ DiskRead *s = opaque; s->ret = disk_co_read(s->sector); s->poll_state.in_progress = false; aio_wait_kick(); }

int disk_read(int sector)
{
    if (qemu_in_coroutine()) return disk_co_read(sector);

    DiskRead s = { .poll_state.ctx = qemu_get_current_aio_context(),
                   .poll_state.in_progress = true, .sector = sector };
    s.poll_state.co = qemu_coroutine_create(disk_co_read_entry, &s);
    bdrv_poll_co(&s.poll_state);
    return s.ret;
}

typedef struct DiskTrim { BdrvPollCo poll_state; int sector; } DiskTrim;

static void coroutine_fn disk_co_trim_entry(void *opaque) /* expect: warning wrapper-stale: no declaration asks for `disk_trim` */
{
    DiskTrim *s = opaque;

    disk_co_trim(s->sector);
    s->poll_state.in_progress = false;
    aio_wait_kick();
}

void disk_trim(int sector)
{
    DiskTrim s = { .poll_state.ctx = qemu_get_current_aio_context() };

    s.poll_state.in_progress = true;
    s.sector = sector;
    assert(!qemu_in_coroutine());
    s.poll_state.co = qemu_coroutine_create(disk_co_trim_entry, &s);
    bdrv_poll_co(&s.poll_state);
}
