int co_wrapper sync(BlockDriverState *bs); /* refused: does not tell what it wraps */
