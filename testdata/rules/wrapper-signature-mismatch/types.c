/* A wrapper only passes on what it is given. */
#include "co.h"

typedef int sector_t;
struct disk;

int coroutine_fn disk_co_read(struct disk *disk, int sector);
int co_wrapper disk_read(struct disk *disk, sector_t at); /* near miss: names and typedefs do not matter */

int coroutine_fn disk_co_write(struct disk *disk, int64_t sector);
int co_wrapper disk_write(struct disk *disk, unsigned sector); /* expect: error wrapper-signature-mismatch: disk_co_write */

int coroutine_fn disk_co_trim(struct disk *disk);
bool co_wrapper_mixed disk_trim(struct disk *disk); /* expect: error wrapper-signature-mismatch: disk_co_trim */

int coroutine_fn disk_co_map(struct disk *disk, int sector);
int co_wrapper disk_map(struct disk *disk); /* expect: error wrapper-signature-mismatch: disk_co_map */

void no_coroutine_fn disk_close(const struct disk *disk);
void no_co_wrapper disk_co_close(struct disk *disk); /* expect: error wrapper-signature-mismatch: disk_close */

int coroutine_fn disk_co_tag(const int tag);
int co_wrapper disk_tag(int tag); /* near miss: a parameter's own const is not part of the type */

void disk_reset(struct disk *disk);
void no_co_wrapper disk_co_reset(struct disk *disk, int hard); /* near miss: the type of a plain prototype is not read */
