/*
 * Bitmaps of changed sectors.  Plain data: nothing here cares for contexts,
 * and no declaration bears a wrapper mark.
 */
#ifndef BLOCK_DIRTY_BITMAP_H
#define BLOCK_DIRTY_BITMAP_H

#include "block/block-common.h"

typedef struct BdrvDirtyBitmap {
    uint64_t words[4];
} BdrvDirtyBitmap;

static inline bool bdrv_dirty_bitmap_get(const BdrvDirtyBitmap *bitmap,
                                         int64_t sector)
{
    return bitmap->words[(sector / 64) % 4] >> (sector % 64) & 1;
}

#endif
