int co_wrapper bdrv_sync(int x; /* refused: unbalanced brackets */
