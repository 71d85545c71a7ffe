#ifndef LATE_H
#define LATE_H

#include <stddef.h>

int late(void);

#endif
