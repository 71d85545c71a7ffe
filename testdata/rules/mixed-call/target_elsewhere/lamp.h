/* The wrapper is declared here; its target is in another header. */
#ifndef LAMP_H
#define LAMP_H

#include "co.h"

int co_wrapper_mixed lamp_dim(int percent);
int co_wrapper_mixed lamp_blink(int times);

#endif
