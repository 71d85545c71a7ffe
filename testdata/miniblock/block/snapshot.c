/*
 * What a wrapper that is written by hand looks like beside one that is asked
 * for: the two would be linked together.  All else about wrappers is in
 * include/block/snapshot.h.
 */
#include "qemu/osdep.h"
#include "block/snapshot.h"

int no_coroutine_fn
bdrv_snapshot_delete(BlockDriverState *bs) /* expect: error wrapper-duplicate: by hand */
{
    return bs ? 0 : -1;
}
