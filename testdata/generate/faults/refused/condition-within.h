int co_wrapper
#ifdef CONFIG_X
bdrv_sync(int x) /* refused: condition splits a declaration */
#else
bdrv_sync(long x)
#endif
;
