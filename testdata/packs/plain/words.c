/* A pack without words has neutral messages. */
#include "plain.h"

static void INSIDE_ONLY inside(void)
{
    primitive();
    library_call(); /* expect: error outside-call: outside-only `library_call` called from `INSIDE_ONLY` `inside` */
}

static void OUTSIDE_ONLY outside(void)
{
    library_call();
    inside(); /* expect: error inside-call: `INSIDE_ONLY` `inside` called from `OUTSIDE_ONLY` `outside` */
}

static void INSIDE_ONLY caller(void)
{
    outside(); /* expect: error outside-call: `OUTSIDE_ONLY` `outside` called from `INSIDE_ONLY` `caller` */
}

static void either(void)
{
    if (is_inside()) {
        primitive();
        library_call(); /* expect: error outside-call: outside-only `library_call` called in the inside context in `either` */
    } else {
        library_call();
    }
}

void start(void)
{
    caller(); /* expect: error inside-call: `INSIDE_ONLY` `caller` called from unmarked `start` */
    either();
}
