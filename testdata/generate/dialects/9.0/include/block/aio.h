/* This release's contexts have no locks, but the runtime has. */
#ifndef BLOCK_AIO_H
#define BLOCK_AIO_H

void (aio_context_acquire)(AioContext *ctx);
void (aio_context_release)(AioContext *ctx);

#endif
