#include "lock.h"

void lock_alone(void);
void unlock_alone(void);
bool lock_if_free(int what);
int try_lock(void);
struct mutex { int held; };
#define TRY_LOCK(mutex) ((mutex)->held++)

/* Whoever holds the lock cannot take it again. */
void lock_that_is_free(void) /* returns: in-out */
{
    lock_alone();
    at(); /* in-out */
}

void lock_in_one_branch(int x)
{
    if (x) {
        lock_alone();
        at(); /* in-out */
        unlock_alone();
    }
    at();
}

void lock_if_it_is_free(void)
{
    bool took = lock_if_free(1);
    at(); /* in-in, in-out, out-out */
    if (took) {
        at(); /* in-out */
        unlock_alone();
    }
    at();
}

void lock_if_any_is_free(bool *where)
{
    bool took = false;
    took |= lock_if_free(1);
    if (chance()) {
        took |= lock_if_free(2);
    }
    at(); /* in-in, in-out, out-out */
    if (took) {
        unlock_alone();
    }
    at();
}

void lock_somewhere(bool *took) /* returns: in-in, in-out, out-out */
{
    *took = lock_if_free(1);
    at(); /* in-in, in-out, out-out */
}

void try_to_lock(void)
{
    if (try_lock()) {
        at();
        return;
    }
    at(); /* in-out */
    unlock_alone();
}

void try_to_lock_twice(struct mutex *mutex)
{
    if (!TRY_LOCK(mutex)) {
        at(); /* in-out */
        unlock_alone();
    } else if (try_lock() != 0) {
        at();
    } else {
        at(); /* in-out */
        unlock_alone();
    }
    at();
}
