/* The first header of every file. */
#include "runtime.h"

/* How this release's write lock is defined. */
#define WRLOCK_PARAMETER BlockDriverState *bs __attribute__((unused))
#define WRUNLOCK_PARAMETER BlockDriverState *bs __attribute__((unused))
