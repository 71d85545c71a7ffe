/* Bottom halves in another context, and none when there is no coroutine to leave. */
#include "qemu/osdep.h"
#include "block/coroutines.h"

static AioContext caller_context = { "caller" };

int virtio_set_features(int features)
{
    note("features:%d@%s", features, where());
    return features + 1;
}

void xen_invalidate(int entry)
{
    note("invalidate:%d@%s", entry, where());
}

int snapshot_save(const char *name)
{
    note("save:%s@%s", name, where());
    return 3;
}

int qmp_run(const char *name)
{
    note("qmp:%s@%s", name, where());
    return 4;
}

int monitor_run(const char *name)
{
    note("monitor:%s@%s", name, where());
    return 5;
}

int GRAPH_RDLOCK bdrv_count(int x)
{
    note("count@%s", where());
    return x * 2;
}

void GRAPH_WRLOCK bdrv_detach(int x)
{
    note("detach:%d@%s", x, where());
}

static void test_features(void)
{
    expect("features", virtio_co_set_features(1) == 2);
}

static void test_invalidate(void)
{
    xen_co_invalidate(7);
}

static void test_save(void)
{
    expect("save", snapshot_co_save("a") == 3);
}

static void test_qmp(void)
{
    expect("qmp", qmp_co_run("b") == 4);
}

static void test_monitor(void)
{
    expect("monitor", monitor_co_run("c") == 5);
}

static void test_count(void)
{
    expect("count", bdrv_co_count(4) == 8);
}

static void test_detach(void)
{
    bdrv_co_detach(9);
}

int main(void)
{
    in_context(&caller_context, test_features);
    expect_log("features, outside", "features:1@plain:caller");
    in_coroutine(&caller_context, test_features);
    expect_log("features, in a coroutine", "bh:caller features:1@plain:caller wake");

    in_context(&caller_context, test_invalidate);
    expect_log("invalidate, outside", "invalidate:7@plain:caller");
    in_coroutine(&caller_context, test_invalidate);
    expect_log("invalidate, in a coroutine", "bh:main invalidate:7@plain:main wake");

    in_coroutine(&caller_context, test_save);
    expect_log("save", "bh:caller save:a@plain:caller wake");

    in_coroutine(&caller_context, test_qmp);
    expect_log("qmp", "bh:iohandler qmp:b@plain:iohandler wake");

    in_context(&caller_context, test_monitor);
    expect_log("monitor, outside", "monitor:c@plain:caller");
    in_coroutine(&caller_context, test_monitor);
    expect_log("monitor, in a coroutine", "bh:iohandler monitor:c@plain:iohandler wake");

    in_context(&main_context, test_count);
    expect_log("count, outside", "rdlock count@plain:main rdunlock");
    in_coroutine(&caller_context, test_count);
    expect_log("count, in a coroutine", "bh:main rdlock count@plain:main rdunlock wake");

    in_context(&main_context, test_detach);
    expect_log("detach, outside", "wrlock detach:9@plain:main wrunlock");
    in_coroutine(&caller_context, test_detach);
    expect_log("detach, in a coroutine", "bh:main wrlock detach:9@plain:main wrunlock wake");

    return verdict();
}
