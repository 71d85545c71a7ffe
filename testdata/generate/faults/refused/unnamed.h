int co_wrapper bdrv_sync(BlockDriverState *, int flags); /* refused: has no name */
