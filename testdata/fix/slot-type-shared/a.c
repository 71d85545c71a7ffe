/* A type that slots for either share: its mark would be wrong for one of them. */
#include "co.h"
typedef int Cb(void);
typedef struct A { Cb *in_co; } A;
typedef struct B { Cb *outside; } B;
static int one(void) { return co_leaf(); }
static int two(void) { return block_leaf(); }
A a = { one };
B b = { two };
void coroutine_fn run(void);
void coroutine_fn run(void) { a.in_co(); }
void no_coroutine_fn out(void);
void no_coroutine_fn out(void) { b.outside(); }
