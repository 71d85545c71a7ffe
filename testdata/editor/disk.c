#include "disk.h"

bool aio_poll(void *context, bool blocking);

static int helper(Disk *disk)
{
    return disk->ops->size(disk);
}

int disk_size(Disk *disk)
{
    return helper(disk);
}

int coroutine_fn disk_co_read(Disk *disk)
{
    if (disk_is_empty(disk)) {
        return 0;
    }
    return disk->ops->co_read(disk);
}

static void coroutine_fn disk_entry(void *opaque)
{
    DISK_READ(opaque);
}

void disk_spawn(Disk *disk)
{
    qemu_coroutine_enter(qemu_coroutine_create(disk_entry, disk));
    while (aio_poll(disk, true)) {
    }
}

int disk_check(Disk *disk)
{
    assert(qemu_in_coroutine());
    return disk_size(disk);
}

void disk_reset(Disk *disk)
{
    disk->ops->reset(disk);
}
