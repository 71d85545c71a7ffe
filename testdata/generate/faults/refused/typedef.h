typedef int co_wrapper SyncFunc(int x); /* refused: does not stand on the declaration of a function */
