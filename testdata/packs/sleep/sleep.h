/* The marks of the pack `sleep`. */
#define TASK_ONLY
#define ANY_CONTEXT
#define INTERRUPT_ONLY

_Bool in_task(void);
void TASK_ONLY schedule(void);
void run_task(void (*entry)(void));
void spin_lock(int *lock);
void spin_unlock(int *lock);
void INTERRUPT_ONLY acknowledge(void);
