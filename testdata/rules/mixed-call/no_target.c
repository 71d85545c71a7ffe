/* An either function without a coroutine only target is called as it is. */
#include "co.h"

int coroutine_mixed_fn dev_size(void);
int dev_co_size(void);
int coroutine_mixed_fn tape_length(void);

int coroutine_fn no_target_at_all(void)
{
    return mixed_leaf() + tape_length(); /* near miss: there is no tape_co_length */
}

int coroutine_fn target_for_everybody(void)
{
    return dev_size(); /* near miss: dev_co_size does not demand a coroutine */
}

int coroutine_fn with_target(void)
{
    return dev_read(1); /* expect: warning mixed-call: dev_co_read */
}
