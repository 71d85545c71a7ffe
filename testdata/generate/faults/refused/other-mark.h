int co_wrapper bdrv_sync(int x);
int co_wrapper_mixed bdrv_sync(int x); /* refused: declared twice, and differently */
