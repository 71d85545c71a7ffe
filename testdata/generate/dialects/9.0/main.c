/* Wrappers run in the AioContext of their caller; there is no lock of an AioContext any more. */
#define WHERE_A_NODE_SAYS   "caller"
#define WHERE_NOTHING_SAYS  "caller"
#define ACQUIRE(context)    ""
#define RELEASE(context)    ""
#define HAS_LOCKED_BOTTOM_HALVES 1
#include "../modern.h"
