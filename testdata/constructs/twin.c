/* A static function that shares its name with one of constructs.c, and nothing else. */
#include "co.h"

void far(void);
void far(void) {}

static void twin(void)
{
    far();
}

void twin_user(void);
void twin_user(void)
{
    twin();
}
