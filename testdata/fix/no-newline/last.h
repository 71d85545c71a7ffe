#define LAST_H
int last(void);