static int co_wrapper bdrv_sync(BlockDriverState *bs); /* refused: is static */
