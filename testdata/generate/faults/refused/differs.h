int co_wrapper bdrv_sync(int x);
long co_wrapper bdrv_sync(int x); /* refused: declared twice, and differently */
