int good(void);
#ifdef OLD_COMPILER
#undef coroutine_fn
#endif
int bad(void);
