/* A wrapper provides the context that its target wants. */
#include "co.h"

int coroutine_fn disk_co_read(int sector);
int co_wrapper disk_read(int sector); /* near miss: the target wants a coroutine */

int disk_co_write(int sector);
int co_wrapper disk_write(int sector); /* expect: error wrapper-target-context: disk_co_write */

int coroutine_mixed_fn disk_co_trim(int sector);
int co_wrapper_mixed disk_trim(int sector); /* expect: error wrapper-target-context: disk_co_trim */

void disk_close(int sector);
void no_co_wrapper disk_co_close(int sector); /* near miss: anything but coroutine only can be called outside */

void no_coroutine_fn disk_reset(int sector);
void no_co_wrapper disk_co_reset(int sector); /* near miss: the target must be called outside */

void coroutine_fn disk_wait(int sector);
void no_co_wrapper disk_co_wait(int sector); /* expect: error wrapper-target-context: disk_wait */
