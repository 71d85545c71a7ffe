/*
 * What all of the block layer shares, the wrapper marks above all: from a
 * declaration that bears one, a generator writes the function that carries
 * the call from one context into the other (block/block-gen.c).
 */
#ifndef BLOCK_COMMON_H
#define BLOCK_COMMON_H

#include "block/aio.h"
#include "block/graph-lock.h"

/* bdrv_foo, for the outside, runs bdrv_co_foo in a coroutine and waits. */
#define co_wrapper                     no_coroutine_fn
#define co_wrapper_bdrv_rdlock         no_coroutine_fn

/* The same, but a coroutine may call it too: then it calls the target. */
#define co_wrapper_mixed               no_coroutine_fn coroutine_mixed_fn
#define co_wrapper_mixed_bdrv_rdlock   no_coroutine_fn coroutine_mixed_fn

/* bdrv_co_foo, for coroutines, runs bdrv_foo in a bottom half and yields. */
#define no_co_wrapper
#define no_co_wrapper_bdrv_rdlock
#define no_co_wrapper_bdrv_wrlock

#define BDRV_SECTOR_SIZE 512

typedef struct BlockDriver BlockDriver;
typedef struct BlockDriverState BlockDriverState;
typedef struct BdrvChild BdrvChild;

#endif
