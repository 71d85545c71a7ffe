#include "co.h"
int f(void);
