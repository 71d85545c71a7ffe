int co_wrapper_mixed_bdrv_wrlock bdrv_sync(BlockDriverState *bs); /* refused: unknown wrapper mark */
