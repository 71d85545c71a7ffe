int co_wrapper bdrv_sync(); /* refused: does not say which parameters */
