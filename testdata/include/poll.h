/* What generated wrappers call, in the style of QEMU 9.0 and later. */
#ifndef FIXTURE_POLL_H
#define FIXTURE_POLL_H

#include "marks.h"
#include "qemu/osdep.h"

typedef struct AioContext AioContext;
typedef struct Coroutine Coroutine;
typedef void coroutine_fn CoroutineEntry(void *opaque);

typedef struct BdrvPollCo {
    AioContext *ctx;
    bool in_progress;
    Coroutine *co;
} BdrvPollCo;

bool qemu_in_coroutine(void);
Coroutine *qemu_coroutine_create(CoroutineEntry *entry, void *opaque);
AioContext *qemu_get_current_aio_context(void);
void aio_wait_kick(void);
void no_coroutine_fn bdrv_poll_co(BdrvPollCo *s);

#endif
