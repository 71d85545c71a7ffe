/* With VERSION, this makes testdata/ the root of a tree to `cowrap generate`. */
#ifndef FIXTURE_OSDEP_H
#define FIXTURE_OSDEP_H

#include <assert.h>
#include <stdbool.h>

#endif
