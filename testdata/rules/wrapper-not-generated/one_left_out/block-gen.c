/* This file is generated. */
#include "disk.h"

int disk_read(int sector)
{
    if (qemu_in_coroutine()) {
        return disk_co_read(sector);
    }
    return 0;
}
