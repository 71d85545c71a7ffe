/* A wrapper is named after what it wraps, and that must be there. */
#include "co.h"

int coroutine_fn disk_co_read(int sector);
int co_wrapper disk_read(int sector); /* near miss: the target is declared above */
int co_wrapper disk_write(int sector); /* expect: error wrapper-target-missing: disk_co_write */
int co_wrapper_mixed disk_trim(int sector); /* expect: error wrapper-target-missing: disk_co_trim */
int co_wrapper flush(int sector); /* expect: error wrapper-target-missing: no target follows */

void disk_close(int sector);
void no_co_wrapper disk_co_close(int sector); /* near miss: it wraps disk_close */
void no_co_wrapper disk_co_reset(int sector); /* expect: error wrapper-target-missing: disk_reset */

static inline int coroutine_fn disk_co_size(void)
{
    return co_leaf();
}
int co_wrapper disk_size(void); /* near miss: the target is an inline function */
