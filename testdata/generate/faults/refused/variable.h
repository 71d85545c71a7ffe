extern int co_wrapper bdrv_count; /* refused: does not stand on the declaration of a function */
