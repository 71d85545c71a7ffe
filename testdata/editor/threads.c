/* Changes of the context, with the pack `qemu-gs`: whoever holds the lock runs as if in the main thread. */
#include <stdbool.h>

bool bql_locked(void);
void bql_lock_impl(const char *file, int line);
#define bql_lock() bql_lock_impl(__FILE__, __LINE__)
void bql_unlock(void);
#define BQL_LOCK_GUARD() int guard __attribute__((unused)) = 0
bool prepare_mmio_access(void);
void IO_CODE(void);
#define IO_CODE() (void)0
void work(void);

void takes_the_lock(void)
{
    work();                         /* line: may run in both contexts */
    if (!bql_locked()) {
        work();                     /* line: runs in an I/O thread; 1 up: this condition depends on the context */
        bql_lock();                 /* line: runs in an I/O thread; 2 up: this condition depends on the context */
        work();                     /* line: runs in the main thread; 1 up: changes to the main thread here */
        bql_unlock();               /* line: runs in the main thread; 2 up: changes to the main thread here */
        work();                     /* line: runs in an I/O thread; 1 up: changes to the I/O thread here */
    }
    work();                         /* line: may run in both contexts */
}

void in_a_scope(void)
{
    work();                         /* line: may run in both contexts */
    {
        BQL_LOCK_GUARD();           /* line: may run in both contexts */
        work();                     /* line: runs in the main thread; 1 up: changes to the main thread here */
    }
    work();                         /* line: may run in both contexts */
}

/* A function that takes the lock for its caller, and one that asserts it. */
static void take_it(void)
{
    bql_lock();
}

static void check_it(void)
{
    if (!bql_locked()) {
        __builtin_trap();
    }
}

void behind_calls(int x)
{
    work();                         /* line: may run in both contexts */
    if (x) {
        take_it();                  /* line: may run in both contexts */
        work();                     /* line: runs in the main thread; 1 up: behind this call of `take_it`, control is in the main thread */
        bql_unlock();
        work();                     /* line: runs in an I/O thread; 1 up: changes to the I/O thread here */
        return;
    }
    work();                         /* line: may run in both contexts; 6 up: this call of `take_it` may change the context */
    check_it();
    x++;                            /* line: runs in the main thread; 1 up: behind this call of `check_it`, control is in the main thread */
    work();                         /* line: runs in the main thread; 2 up: behind this call of `check_it`, control is in the main thread */
}
