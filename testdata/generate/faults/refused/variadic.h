int co_wrapper bdrv_printf(const char *format, ...); /* refused: variable number of arguments */
