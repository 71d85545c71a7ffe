extern int co_wrapper (*bdrv_hook)(int x); /* refused: does not name a function */
