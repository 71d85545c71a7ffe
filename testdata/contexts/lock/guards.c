#include "lock.h"

void until_the_end_of_the_block(void)
{
    at();
    {
        BIG_GUARD();
        at(); /* in-out, out-out */
    }
    at();
}

void until_the_end_of_the_body(void)
{
    BIG_GUARD();
    at(); /* in-out, out-out */
}

void however_control_leaves(void)
{
    while (chance()) {
        BIG_GUARD();
        at(); /* in-out, out-out */
        if (chance()) {
            break;
        }
        if (chance()) {
            continue;
        }
        if (chance()) {
            goto out;
        }
        if (chance()) {
            return;
        }
        at(); /* in-out, out-out */
    }
    at();
out:
    at();
}

void for_the_statement_that_follows(void)
{
    WITH_BIG() {
        at(); /* in-out, out-out */
        if (chance()) {
            break;
        }
    }
    at();
    WITH_BIG()
        at(); /* in-out, out-out */
    at();
    WITH_BIG_ONCE() {
        at(); /* in-out, out-out */
        if (chance()) {
            return;
        }
    }
    at();
    WITH_BIG_IF()
        at(); /* in-out, out-out */
    at();
    WITH_BIG_WHILE() {
        at(); /* in-out, out-out */
    }
    at();
    WITH_BIG_TWICE() {
        at(); /* in-out, out-out */
    }
    at();
}

void dropped_for_a_statement(void)
{
    BIG_GUARD();
    at(); /* in-out, out-out */
    WITHOUT_BIG() {
        at(); /* in-in, out-in */
        {
            BIG_GUARD();
            at(); /* in-out, out-out */
        }
        at(); /* in-in, out-in */
    }
    at(); /* in-out, out-out */
}

void twice_in_a_block(void)
{
    if (chance()) {
        BIG_GUARD();
        at(); /* in-out, out-out */
        BIG_GUARD();
        at(); /* in-out, out-out */
    }
    at();
    if (big_locked()) {
        at(); /* out-out */
    }
}

/* A guard of another lock. */
void another_guard(void)
{
    struct guard *guard __attribute__((cleanup(big_unguard))) = big_guard();
    at();
}
