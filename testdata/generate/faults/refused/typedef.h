typedef int co_wrapper SyncFunc(int x); /* refused: is not on the declaration of a function */
