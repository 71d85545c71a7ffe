#ifdef CONFIG_X /* refused: unterminated `#if` */
int co_wrapper bdrv_sync(int x);
