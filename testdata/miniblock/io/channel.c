/*
 * Channels.  Teaches guards: the same loop written so that either context
 * may run it, once with the guard and once without, and an assert that
 * stands where a mark should.
 */
#include "qemu/osdep.h"
#include "block/aio.h"
#include "io/channel-io.h"

void coroutine_fn qio_channel_yield(QIOChannel *ioc)
{
    assert(qemu_in_coroutine()); /* near miss: the mark says so, too */
    ioc->reader = qemu_coroutine_self();
    aio_co_schedule(qemu_get_current_aio_context(), ioc->reader);
    qemu_coroutine_yield();
}

void no_coroutine_fn qio_channel_wait(QIOChannel *ioc)
{
    AIO_WAIT_WHILE(qemu_get_aio_context(), !ioc->ready); /* near miss: marked */
}

int coroutine_mixed_fn qio_channel_read_all(QIOChannel *ioc, void *buf,
                                            size_t len)
{
    char *to = buf;

    while (len > 0) {
        int n = ioc->io_read(ioc, to, len);

        if (n == QIO_CHANNEL_ERR_BLOCK) {
            if (qemu_in_coroutine()) {
                qio_channel_yield(ioc); /* near miss: guarded */
            } else {
                qio_channel_wait(ioc); /* near miss: guarded the other way round */
            }
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        to += n;
        len -= n;
    }
    return 0;
}

int coroutine_mixed_fn qio_channel_write_all(QIOChannel *ioc, const void *buf,
                                             size_t len)
{
    const char *from = buf;

    while (len > 0) {
        int n = ioc->io_write(ioc, from, len);

        if (n == QIO_CHANNEL_ERR_BLOCK) {
            qio_channel_yield(ioc); /* expect: error coroutine-call: qio_channel_yield */
            continue;
        }
        if (n <= 0) {
            return -1;
        }
        from += n;
        len -= n;
    }
    return 0;
}

/* Its callers only find out in front of a user. */
int qio_channel_read_turn(QIOChannel *ioc, void *buf, size_t len)
{
    assert(qemu_in_coroutine()); /* expect: warning assert-without-mark: qio_channel_read_turn */
    qio_channel_yield(ioc); /* near miss: the finding is at the assert */
    return qio_channel_read_all(ioc, buf, len); /* near miss: either, and without a target */
}

void qio_channel_shutdown(QIOChannel *ioc)
{
    assert(!qemu_in_coroutine()); /* near miss: no caller bears a mark */
    ioc->ready = true;
    aio_wait_kick();
}

/* Targets of generated wrappers; see io/channel-io.h. */

int coroutine_fn qio_co_channel_tell(QIOChannel *ioc)
{
    return ioc->ready;
}

int coroutine_fn qio_co_channel_peek(QIOChannel *ioc, void *buf, size_t len)
{
    if (!ioc->ready) {
        qio_channel_yield(ioc);
    }
    return ioc->io_read(ioc, buf, len);
}

void coroutine_fn qio_co_channel_skip(QIOChannel *ioc, size_t len)
{
    char byte;

    while (len--) {
        qio_co_channel_peek(ioc, &byte, 1);
    }
}
