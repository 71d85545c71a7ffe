/* Shapes of declarations: those with a place for a mark, and those without. */
#include "co.h"
typedef int Fn(void);
static Fn by_typedef;
static int by_typedef(void) { return co_leaf(); }
static int old_style();
static int old_style(a, b)
    int a;
    int b;
{
    return co_leaf();
}
static int a1(void), a2(void);
static int a1(void) { return co_leaf(); }
static int a2(void) { return co_leaf(); }
static __typeof__(int) ty(void) { return co_leaf(); }
static inline __attribute__((always_inline)) int at(void) { return co_leaf(); }
static int attr_after(void) __attribute__((noinline));
static int attr_after(void) { return co_leaf(); }
static struct { int x; } s(void) { co_leaf(); return (__typeof__(s())){0}; }
static const char *const *cc(void) { co_leaf(); return 0; }
_Noreturn static void nr(void) { co_leaf(); for (;;) ; }
static int (parens)(void) { return co_leaf(); }
extern inline int ei(void); 
inline int ei(void) { return co_leaf(); }
static int arr(int a[static 2], void (*cb)(int (*)(void))) { return co_leaf(); }
static _Bool
/* comment line
 * two */
cm(void) { return co_leaf(); }
int coroutine_fn run(void);
int coroutine_fn run(void) { int x[2]; if (x[0]) nr(); return by_typedef() + old_style(1,2) + a1() + a2() + ty() + at() + attr_after() + s().x + !!cc() + (parens)() + ei() + arr(x, 0) + cm(); }
