co_wrapper bdrv_sync(int x); /* refused: has no return type */
