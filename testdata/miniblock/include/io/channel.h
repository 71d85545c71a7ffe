/*
 * Channels carry bytes.  Reading and writing work in either context: a
 * coroutine suspends until the channel is ready, everybody else polls.
 */
#ifndef IO_CHANNEL_H
#define IO_CHANNEL_H

#include "qemu/coroutine.h"

#define QIO_CHANNEL_ERR_BLOCK (-2)

typedef struct QIOChannel QIOChannel;

struct QIOChannel {
    Coroutine *reader;
    bool ready;
    int (*io_read)(QIOChannel *ioc, void *buf, size_t len);
    int (*io_write)(QIOChannel *ioc, const void *buf, size_t len);
};

void coroutine_fn qio_channel_yield(QIOChannel *ioc);
void no_coroutine_fn qio_channel_wait(QIOChannel *ioc);
int coroutine_mixed_fn qio_channel_read_all(QIOChannel *ioc, void *buf,
                                            size_t len);
int coroutine_mixed_fn qio_channel_write_all(QIOChannel *ioc, const void *buf,
                                             size_t len);
int qio_channel_read_turn(QIOChannel *ioc, void *buf, size_t len);
void qio_channel_shutdown(QIOChannel *ioc);

#endif
