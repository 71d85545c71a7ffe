/* Wrappers, all for both contexts. */
#ifndef BLOCK_COROUTINES_H
#define BLOCK_COROUTINES_H

#define generated_co_wrapper

int coroutine_fn bdrv_co_read(BlockDriverState *bs, int64_t offset, char *buf);
int generated_co_wrapper bdrv_read(BlockDriverState *bs, int64_t offset, char *buf);

/* Any prefix will do. */
int coroutine_fn nbd_co_write(BdrvChild *child, const char *buf, bool fua);
int generated_co_wrapper
nbd_write(BdrvChild *child, const char *buf, bool fua);

/* What QEMU's own script does not wrap. */
const char *coroutine_fn bdrv_co_name(BdrvChild *child);
const char *generated_co_wrapper bdrv_name(BdrvChild *child);

void coroutine_fn bdrv_co_forget(BlockDriverState *bs);
void generated_co_wrapper bdrv_forget(BlockDriverState *bs);

#endif
