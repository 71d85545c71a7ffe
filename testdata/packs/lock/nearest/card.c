#include "device.h"

static void reset_card(void)
{
    set_locked_op(2);
}

struct device card = { .reset = reset_card };
