/* Comments, attributes and tabs around the name. */
#include "co.h"

static int /* the state */ f(void)
{
	return co_leaf();
}

static /* a */ int // b
g(void)
{
	return co_leaf();
}

static int	tabbed(int a,
		       int b)
{
	return co_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
	return f() + g() + tabbed(1, 2);
}
