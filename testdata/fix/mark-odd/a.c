/* Declarations with directives, macros and odd blanks in them. */
#include "co.h"
static int f(void);
#if 1
static int f(void) { return co_leaf(); }
#endif
static int g(int a,
#ifdef X
   int b,
#endif
   int c)
{ return co_leaf(); }
#define BEGIN static int
BEGIN h(void) { return co_leaf(); }
static int \
i(void) { return co_leaf(); }
static int j (void) { return co_leaf(); }
static int k(void){return co_leaf();}
/* co */static/* x */int/* y */l/* z */(void) { return co_leaf(); }
int coroutine_fn run(void);
int coroutine_fn run(void) { return f() + g(1,2) + h() + i() + j() + k() + l(); }
