/* As 8.0, and bottom halves take the lock of an AioContext. */
#define WHERE_A_NODE_SAYS   "node"
#define WHERE_NOTHING_SAYS  "main"
#define ACQUIRE(context)    "acquire:" context " "
#define RELEASE(context)    "release:" context " "
#define HAS_LOCKED_BOTTOM_HALVES 0
#include "../modern.h"
