int co_wrapper_bdrv_wrlock bdrv_sync(int x); /* refused: no wrapper mark that is known */
