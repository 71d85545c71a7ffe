/* The mark that only this file knows of. */
#include "meter.h"

int coroutine_fn meter_read(int channel) /* expect: warning suspect-mark: meter_read */
{
    qemu_coroutine_yield(); /* near miss: it suspends, but the mark is on one side only */
    return channel;
}

int coroutine_fn meter_co_reset(void)
{
    return meter_read(0); /* near miss: marked */
}
