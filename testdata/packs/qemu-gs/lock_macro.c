/* From 9.0 on, the lock is taken by a macro. The pack names the macro and its function, and they change the context
 * once. */
#include <assert.h>

_Bool qemu_in_main_thread(void);
void bql_lock_impl(const char *file, int line);
void bql_unlock(void);

#define bql_lock() bql_lock_impl(__FILE__, __LINE__)
#define GLOBAL_STATE_CODE() do { assert(qemu_in_main_thread()); } while (0)
#define IO_CODE() do { } while (0)

void disk_reset(void)
{
    GLOBAL_STATE_CODE();
}

void disk_complete(void)
{
    IO_CODE();
    bql_lock();
    disk_reset(); /* near miss: it has the lock */
    bql_unlock();
    disk_reset(); /* expect: error main-thread-call: `GLOBAL_STATE_CODE` `disk_reset` called in an I/O thread in `disk_complete` */
}

void disk_complete_by_function(void)
{
    IO_CODE();
    bql_lock_impl("", 0);
    disk_reset(); /* near miss: it has the lock */
    bql_unlock();
    disk_reset(); /* expect: error main-thread-call: `GLOBAL_STATE_CODE` `disk_reset` called in an I/O thread in `disk_complete_by_function` */
}
