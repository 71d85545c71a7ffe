static inline int co_wrapper bdrv_sync(int x) { return x; } /* refused: has a body here */
