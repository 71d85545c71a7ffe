/* The targets, which only few units see. */
#ifndef LAMP_INT_H
#define LAMP_INT_H

#include "co.h"

int coroutine_fn lamp_co_dim(int percent);
int coroutine_fn lamp_co_blink(int times);

#endif
