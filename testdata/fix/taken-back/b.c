#include "co.h"
#define OLD_COMPILER
#include "shared.h"

int peek(void);
int peek(void)
{
    return 0;
}
