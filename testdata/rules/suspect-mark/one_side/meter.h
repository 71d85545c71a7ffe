/* The prototype that everybody sees, without a mark. */
#ifndef METER_H
#define METER_H

#include "co.h"

int meter_read(int channel); /* near miss: no mark-mismatch beside the suspect mark */
int meter_co_reset(void); /* expect: warning mark-mismatch: meter_co_reset */

#endif
