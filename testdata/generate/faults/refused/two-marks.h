int co_wrapper co_wrapper_mixed bdrv_sync(int x); /* refused: two wrapper marks */
