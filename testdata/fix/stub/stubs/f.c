#include "f.h"

int f(void)
{
    return 0;
}
