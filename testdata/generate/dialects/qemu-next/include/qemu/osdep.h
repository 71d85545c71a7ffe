/* The first header of every file. */
#include "runtime.h"

/* How this release's write lock is defined. */
#define WRLOCK_PARAMETER void
#define WRUNLOCK_PARAMETER void
