/* The marks are written here and on the definitions. */
#ifndef DOOR_H
#define DOOR_H

#include "co.h"

int coroutine_mixed_fn door_open(void);
int coroutine_mixed_fn door_close(void);

#endif
