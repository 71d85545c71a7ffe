int co_wrapper bdrv_vprintf(const char *format, va_list ap); /* refused: takes a `va_list` */
