#ifndef STATE_H
#define STATE_H

#include <stdbool.h>

typedef struct State State;

bool state_load(State *state);

#endif
