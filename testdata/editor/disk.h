/* A block layer that is small enough to be known by heart. */
#ifndef EDITOR_DISK_H
#define EDITOR_DISK_H

#include "co.h"

typedef struct Disk Disk;

typedef struct DiskOps {
    int coroutine_fn (*co_read)(Disk *disk);
    int (*size)(Disk *disk);
    void (*reset)(Disk *disk);
} DiskOps;

struct Disk {
    const DiskOps *ops;
};

int coroutine_fn disk_co_read(Disk *disk);
int co_wrapper_mixed disk_read(Disk *disk);
int disk_size(Disk *disk);

#define DISK_READ(disk) disk_co_read(disk)

static inline int disk_is_empty(Disk *disk)
{
    return disk_size(disk) == 0;
}

#endif
