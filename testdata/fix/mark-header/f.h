#include "co.h"

int f(int sector);
int only_here(void);
