#define ISR
#define TASK_CODE() assert(!in_irq())
#define ANY_CODE()

void abort(void) __attribute__((noreturn));
#define assert(condition) ((condition) ? (void)0 : abort())

enum when { LATER = 1, IN_IRQ = 2 };

struct vector_table {
    void (*entry)(void);
    void (*name)(void);
};

_Bool in_irq(void);
void give_from_isr(void);
void task_sleep(void);
void defer(void (*work)(void), int when);
void task_hook(void (*hook)(void));
void halt_system(int status);
void reset_system(int status);
void use(struct vector_table *table);
void use_hook(void (*hook)(void));
