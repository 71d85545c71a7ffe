static inline int co_wrapper bdrv_sync(int x) { return x; } /* refused: on a function with a body */
