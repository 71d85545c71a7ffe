/* Both candidates are as good: the witness goes through the one that is stored in the caller's own file. */
#include "device.h"

static void reset_disk(void)
{
    set_locked_op(1);
}

static struct device disk = { .reset = reset_disk };

static void *run_disk(void *opaque)
{
    struct device *device = &disk;
    device->reset(); /* expect: warning outside-call: `reset_disk` is stored in `device::reset` here */
    return opaque;
}

void start_disk(void)
{
    start_thread(run_disk);
}
