#include "co.h"

void take_main_lock(void);
