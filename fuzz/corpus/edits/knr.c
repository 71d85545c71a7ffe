FOO(x) int
f (a, b)
    int a; char *b;
{ }
int (f)(int), *g(void), h;
__attribute__((unused)) static void k(void) LOCKS_EXCLUDED(x);
