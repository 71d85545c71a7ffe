#ifdef CONFIG_X /* refused: an `#if` does not end */
int co_wrapper bdrv_sync(int x);
