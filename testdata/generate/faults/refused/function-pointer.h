extern int co_wrapper (*bdrv_hook)(int x); /* refused: cannot find the name of the function */
