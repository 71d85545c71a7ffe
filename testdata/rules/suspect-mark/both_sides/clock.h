/* The mark stands on prototype and definition: the prototype's is named. */
#ifndef CLOCK_H
#define CLOCK_H

#include "co.h"

int coroutine_fn clock_now(void); /* expect: warning suspect-mark: clock_now */
int coroutine_fn clock_co_sleep(void); /* near miss: suspends, and one caller only is unmarked */

#endif
