int co_wrapper_bdrv_wrlock bdrv_sync(int x); /* refused: unknown wrapper mark */
