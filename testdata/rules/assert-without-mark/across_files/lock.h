/* A lock for the main loop, whose prototype says nothing about it. */
#ifndef LOCK_H
#define LOCK_H

#include "co.h"

void lock_take(void);
void no_coroutine_fn lock_take_marked(void);

#endif
