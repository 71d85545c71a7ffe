/* Marks on what is no function and no place for one. */
#include "co.h"

int coroutine_fn global_number; /* expect: warning misplaced-mark: coroutine_fn */
int coroutine_fn (*global_slot)(void); /* near miss: a function pointer */
int coroutine_fn (*global_slots[4])(void); /* near miss: an array of function pointers */
int *no_coroutine_fn global_pointer; /* expect: warning misplaced-mark: no_coroutine_fn */
int coroutine_mixed_fn global_numbers[4]; /* expect: warning misplaced-mark: coroutine_mixed_fn */
int no_co_wrapper wrapped_number; /* expect: warning misplaced-mark: no_co_wrapper */
CoroutineEntry *global_entry; /* near miss: the typedef's mark is on a function pointer */
CoroutineEntry *coroutine_fn marked_entry; /* near miss: marked twice, but a function pointer */

int coroutine_fn locals(void)
{
    int coroutine_fn number = 0; /* expect: warning misplaced-mark: coroutine_fn */
    int coroutine_fn (*slot)(void) = co_leaf; /* near miss: a function pointer */

    return number + slot();
}

int *coroutine_fn returns_a_pointer(void) /* near miss: a function, whatever it returns */
{
    return NULL;
}
