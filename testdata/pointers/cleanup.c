/* The attribute calls a function, the word does not. */
#include "co.h"

void drain(void);
void drain(void)
{
    block_leaf(); /* near miss: who calls it is elsewhere */
}

static void release(int *resource)
{
    block_leaf(); /* near miss: likewise */
}

static void forget(int *resource)
{
    plain_leaf();
}

int add_cleanup(void (*f)(void));
int say(const char *text);
int with_cleanup(int n);
#define cleanup_int(f) int __attribute__((cleanup(f)))
#define AUTO_(type) __attribute__((unused, cleanup(release_##type))) type
#define release_int release
#define g_autoint AUTO_(int)

int coroutine_fn only_registers(void)
{
    int rc __attribute__((unused)) = add_cleanup(drain); /* near miss: it is stored, not called */

    return rc;
}

int coroutine_fn only_says(void)
{
    int rc __attribute__((unused)) = say("__attribute__((cleanup(release)))"); /* near miss */

    return rc /* cleanup(release) */ + with_cleanup(1);
}

int coroutine_fn attribute_of_another(int n)
{
    int (*cleanup)(int) __attribute__((unused)) = with_cleanup; /* near miss: the variable has this name */

    return cleanup(n);
}

int coroutine_fn in_an_inner_initialiser(void)
{
    int rc __attribute__((unused)) = ({
        int held __attribute__((cleanup(forget))) = 1; /* near miss */
        held;
    });

    return rc;
}

int coroutine_fn inner_release(void)
{
    int rc = ({
        int held __attribute__((cleanup(release))) = 1; /* expect: error blocking-call: release */
        held;
    });

    return rc;
}

int coroutine_fn in_new_spelling(void)
{
    [[gnu::cleanup(release)]] int held = 1; /* expect: error blocking-call: release */

    return held;
}

int coroutine_fn by_a_macro(void)
{
    cleanup_int(release) held = 1; /* expect: error blocking-call: release */

    return held;
}

int coroutine_fn by_a_pasted_name(void)
{
    g_autoint held = 1; /* expect: error blocking-call: release */

    return held;
}

int coroutine_fn in_other_underscores(void)
{
    __attribute__((__unused__, __cleanup__(release))) int held = 1; /* expect: error blocking-call: release */

    return held;
}

int coroutine_fn of_two(void)
{
    int first = 1, second __attribute__((cleanup(release))) = 2; /* expect: error blocking-call: release */

    return first + second;
}

int coroutine_fn in_a_loop(int n)
{
    for (int held __attribute__((cleanup(release))) = n; held; held--) { /* expect: error blocking-call: release */
        plain_leaf();
    }
    return 0;
}

/* The variable is what the function is given. */
typedef void work(void);

static void run_it(work **held)
{
    (*held)();
}

static void blocks(void)
{
    block_leaf(); /* near miss: who calls it is elsewhere */
}

int coroutine_fn runs_what_it_holds(void)
{
    work *held __attribute__((cleanup(run_it))) = blocks; /* expect: warning blocking-call: blocks */

    return 0;
}
