void bdrv_visit(int (co_wrapper *visit)(int x)); /* refused: is not on a function at the top level */
