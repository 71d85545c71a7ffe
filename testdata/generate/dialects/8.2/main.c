/* As 8.1, with the graph's lock around that of the AioContext. */
#define WHERE_A_NODE_SAYS   "node"
#define WHERE_NOTHING_SAYS  "main"
#define ACQUIRE(context)    "acquire:" context " "
#define RELEASE(context)    "release:" context " "
#define HAS_LOCKED_BOTTOM_HALVES 1
#include "../modern.h"
