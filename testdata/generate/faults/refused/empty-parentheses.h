int co_wrapper bdrv_sync(); /* refused: has empty parentheses */
