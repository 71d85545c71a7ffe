int no_co_wrapper bdrv_sync(BlockDriverState *bs); /* refused: does not say which function it wraps */
