/* Every kind of slot says what it holds. */
#include "co.h"

typedef struct Ops { int (*cb)(void); void *opaque; } Ops;
static int (*global_cb)(void);
typedef int (*FnPtr)(void);
struct Holder { FnPtr fp; };
static int one(void) { return co_leaf(); }
static int two(void) { return co_leaf(); }
static int three(void) { return co_leaf(); }
static int four(void) { return co_leaf(); }
static int five(void) { return co_leaf(); }
static int coroutine_fn call_local(void) { int (*l)(void) = four; return l(); }
static int coroutine_fn invoke(FnPtr p) { return p(); }
static int coroutine_fn invoke2(int (*p)(void), int x);
static int coroutine_fn invoke2(int (*p)(void), int x) { return p(); }
void coroutine_fn run(Ops *ops, struct Holder *h);
void coroutine_fn run(Ops *ops, struct Holder *h) {
  Ops o = { .cb = one };
  global_cb = two;
  h->fp = three;
  o.cb(); global_cb(); h->fp(); call_local(); invoke(five); invoke2(five, 1);
}
