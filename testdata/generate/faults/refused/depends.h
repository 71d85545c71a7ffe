int co_wrapper bdrv_sum(int n, int m[][n]); /* refused: depends on the parameter */
