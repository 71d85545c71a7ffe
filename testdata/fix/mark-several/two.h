int coroutine_mixed_fn g(void);
int f(void);
