/*
 * Ways into a channel for those who are outside of coroutines, generated into
 * io/channel-co-gen.c.  The generator ran before the second one was made for
 * both contexts, and before the third one was taken out here.
 */
#ifndef IO_CHANNEL_IO_H
#define IO_CHANNEL_IO_H

#include "block/block-common.h"
#include "io/channel.h"

int coroutine_fn qio_co_channel_tell(QIOChannel *ioc);
int co_wrapper qio_channel_tell(QIOChannel *ioc);

int coroutine_fn qio_co_channel_peek(QIOChannel *ioc, void *buf, size_t len);
int co_wrapper_mixed qio_channel_peek(QIOChannel *ioc, void *buf, size_t len);

void coroutine_fn qio_co_channel_skip(QIOChannel *ioc, size_t len);

#endif
