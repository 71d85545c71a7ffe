int co_wrapper sync(BlockDriverState *bs); /* refused: does not say which function it wraps */
