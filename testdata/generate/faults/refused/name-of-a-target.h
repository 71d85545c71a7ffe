int co_wrapper bdrv_co_sync(BlockDriverState *bs); /* refused: does not say which function it wraps */
