#include "state.h"

bool peek(void);
bool peek(void)
{
    return true;
}
