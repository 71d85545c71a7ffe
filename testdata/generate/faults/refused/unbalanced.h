int co_wrapper bdrv_sync(int x; /* refused: brackets do not pair up */
