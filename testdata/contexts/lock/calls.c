#include "lock.h"

void take(void) /* returns: in-out, out-out */
{
    at();
    big_lock();
    at(); /* in-out, out-out */
}

void take_and_drop(void) /* returns: in-in, out-in */
{
    big_lock();
    at(); /* in-out, out-out */
    big_unlock();
    at(); /* in-in, out-in */
}

/* A name with a star is that of the function here. */
void take_slowly(void) /* returns: in-out, out-out */
{
    big_lock_slow_path();
    at(); /* in-out, out-out */
    big_relock();
    at(); /* in-out, out-out */
}

void take_if_free(void)
{
    bool took = false;
    if (!big_locked()) {
        big_lock();
        took = true;
    }
    at(); /* in-out, out-out */
    if (took) {
        big_unlock();
    }
    at();
}

void take_if_free_early(void)
{
    bool was_locked = big_locked();
    if (!was_locked) {
        big_lock();
    }
    at(); /* in-out, out-out */
    if (was_locked) {
        at(); /* out-out */
    } else {
        big_unlock();
        at(); /* in-in */
    }
    at();
}

void take_by_chance(void) /* returns: in-in, out-in, out-out */
{
    int took = 0;
    if (chance()) {
        big_lock();
        took = 1;
    }
    at(); /* in-in, in-out, out-out */
    if (big_locked()) {
        at(); /* in-out, out-out */
    } else {
        at(); /* in-in */
    }
    if (took) {
        big_unlock();
    }
    at(); /* in-in, out-in, out-out */
}

void drop_in_a_loop(void) /* returns: in-in, out-in */
{
    big_lock();
    while (chance()) {
        at(); /* in-out, out-out */
        big_unlock();
        at(); /* in-in, out-in */
        if (chance()) {
            return;
        }
        big_lock();
        if (chance()) {
            continue;
        }
        if (chance()) {
            break;
        }
    }
    at(); /* in-out, out-out */
    exit(1);
}

void only_with_the_lock(void) /* asserts: out */
{
    assert_big();
    at(); /* out-out */
}

void not_with_the_lock_of_its_own(void) /* returns: in-out, out-out */
{
    big_lock();
    assert_big();
    at(); /* in-out, out-out */
}

void by_parameter(bool locked) /* returns: in-in, in-out, out-out */
{
    if (!locked) {
        big_lock();
    }
    if (locked) {
        at();
    }
    big_locked();
}
