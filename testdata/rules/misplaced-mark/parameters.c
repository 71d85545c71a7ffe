/* Parameters. */
#include "co.h"

int number_parameter(int coroutine_fn number); /* expect: warning misplaced-mark: coroutine_fn */
int pointer_parameter(int coroutine_fn (*callback)(void)); /* near miss: a function pointer */
int function_parameter(int coroutine_fn callback(void)); /* near miss: it becomes a function pointer */
int entry_parameter(CoroutineEntry *entry); /* near miss: the typedef's mark is on a function pointer */
int data_pointer_parameter(void *coroutine_fn opaque); /* expect: warning misplaced-mark: coroutine_fn */
int coroutine_fn marked_function(int number); /* near miss: the function bears the mark */
