/* The mark is known wherever the prototype is. */
#ifndef PUMP_H
#define PUMP_H

#include "co.h"

int coroutine_fn pump_co_run(int strokes);
int pump_level(void);

#endif
