/* The prototypes of what valve.c defines. */
#ifndef VALVE_H
#define VALVE_H

#include "co.h"

int coroutine_fn valve_co_open(void);
int valve_co_close(void); /* expect: warning mark-mismatch: valve_co_close */
int coroutine_fn valve_co_turn(void);
int coroutine_fn valve_reset(void);
int coroutine_fn valve_co_elsewhere(void); /* near miss: no definition to differ from */

#endif
