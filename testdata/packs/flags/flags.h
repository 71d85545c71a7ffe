#define HANDLER
#define TASK

enum when { LATER = 1, IN_IRQ = 2, SHARED = 4 };

struct timer {
    const char *name;
    void (*run)(void);
    _Bool in_irq;
};

void HANDLER give(void);
void TASK wait(void);
void defer(void (*work)(void), int when);
