/* Lock marks belong on the prototype alone; context marks do not. */
#include "co.h"

int coroutine_fn GRAPH_RDLOCK walk_co_children(void);
int GRAPH_WRLOCK walk_attach(void);
int coroutine_fn GRAPH_UNLOCKED walk_co_drain(void);

int coroutine_fn walk_co_children(void)
{
    return co_leaf(); /* near miss: GRAPH_RDLOCK is not repeated */
}

int walk_attach(void)
{
    return plain_leaf(); /* near miss: no context mark on either side */
}

int walk_co_drain(void) /* expect: warning mark-mismatch: walk_co_drain */
{
    return co_leaf();
}
