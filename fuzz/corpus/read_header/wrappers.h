#ifdef CONFIG_A
int co_wrapper_mixed_bdrv_rdlock bdrv_f(BlockDriverState *bs, void (*cb)(int, int), char name[8]);
#elif defined(CONFIG_B) && !C
static inline const char *co_wrapper bdrv_g(void);
#else
unsigned long long coroutine_fn no_co_wrapper bdrv_co_h(struct s { int x; } y);
#endif
void co_wrapper_bdrv_wrlock bdrv_i(int a, ...);
int co_wrapper blk_j(int co_wrapper);
