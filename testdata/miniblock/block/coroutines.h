/*
 * What the generated file needs to see beside the public headers: here,
 * nothing more than the headers that declare wrappers and their targets.
 */
#ifndef BLOCK_COROUTINES_H
#define BLOCK_COROUTINES_H

#include "block/block-io.h"
#include "block/block-global-state.h"

#endif
