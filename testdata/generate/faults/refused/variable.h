extern int co_wrapper bdrv_count; /* refused: is not on the declaration of a function */
