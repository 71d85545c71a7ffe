int co_wrapper disk_read(int sector); /* expect: error wrapper-duplicate: twice */
int no_coroutine_fn disk_map(int sector); /* near miss: a second prototype asks for nothing */
