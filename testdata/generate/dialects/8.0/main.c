/* Wrappers run in the AioContext of their first parameter; bottom halves take no lock. */
#define WHERE_A_NODE_SAYS   "node"
#define WHERE_NOTHING_SAYS  "main"
#define ACQUIRE(context)    ""
#define RELEASE(context)    ""
#define HAS_LOCKED_BOTTOM_HALVES 0
#include "../modern.h"
