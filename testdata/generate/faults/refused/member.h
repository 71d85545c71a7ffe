struct BlockDriver { int co_wrapper (*bdrv_sync)(int x); }; /* refused: something else than a function */
