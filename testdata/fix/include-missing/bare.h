bool state_save(void);
