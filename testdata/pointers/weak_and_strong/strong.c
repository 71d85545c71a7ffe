#include "co.h"

int hook(void);
int hook(void)
{
    return plain_leaf();
}
