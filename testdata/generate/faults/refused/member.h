struct BlockDriver { int co_wrapper (*bdrv_sync)(int x); }; /* refused: is not on a function at the top level */
