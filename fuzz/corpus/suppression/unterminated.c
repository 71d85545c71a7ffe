#include "a.h"
'
"
\n