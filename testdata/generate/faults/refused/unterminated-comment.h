int co_wrapper bdrv_sync(int x);
/* refused: a comment does not end
