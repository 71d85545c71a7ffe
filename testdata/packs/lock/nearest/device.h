struct device {
    void (*reset)(void);
};

void start_thread(void *(*run)(void *));
void set_locked_op(int value);
