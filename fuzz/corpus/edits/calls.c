int f(int a, int b);
static int (*op)(int a);
int g(void)
{
    return f(h(1,
               2),
             (3)) + op(4);
}
struct s { void (*run)(void *opaque); int coroutine_fn (*co)(void); };
