/* __attribute__((cleanup(f))) calls f at the end of the scope. */
#include "co.h"

void coroutine_fn co_release(int *resource);
void plain_release(int *resource);

#define CO_AUTO __attribute__((cleanup(co_release)))

int no_coroutine_fn leaves_scope(void)
{
    __attribute__((cleanup(co_release))) int resource = 1; /* expect: error coroutine-call: co_release */

    return resource;
}

int no_coroutine_fn leaves_scope_other_spelling(void)
{
    int resource CO_AUTO = 1; /* expect: error coroutine-call: co_release */

    return resource;
}

int no_coroutine_fn without_initialiser(void)
{
    int resource CO_AUTO; /* expect: error coroutine-call: co_release */

    resource = plain_leaf();
    return resource;
}

int unmarked(void)
{
    int resource CO_AUTO = 1; /* expect: error coroutine-call: co_release */

    return resource;
}

int coroutine_fn inside(void)
{
    int resource CO_AUTO = 1; /* near miss: marked */

    return resource;
}

int no_coroutine_fn plain_cleanup(void)
{
    int resource __attribute__((cleanup(plain_release))) = 1; /* near miss: anybody may release it */

    return resource;
}

int guarded_scope(void)
{
    if (qemu_in_coroutine()) {
        int resource CO_AUTO = 1; /* near miss: the scope is guarded */

        return resource;
    }
    return 0;
}

int no_coroutine_fn with_call(void)
{
    int resource CO_AUTO = co_leaf(); /* expect: error coroutine-call: co_leaf */ /* expect: error coroutine-call: co_release */

    return resource;
}
