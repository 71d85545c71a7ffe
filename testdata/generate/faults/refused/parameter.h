void bdrv_visit(int (co_wrapper *visit)(int x)); /* refused: something else than a function */
