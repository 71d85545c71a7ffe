int co_wrapper bdrv_a(void), bdrv_b(void); /* refused: declares several names */
