/* Calls every wrapper in both contexts: arguments, results, where it runs. */
#include "qemu/osdep.h"
#include "block/coroutines.h"

#include <string.h>

static AioContext node_context = { "node" };
static BlockDriverState node = { &node_context };
static BdrvChild child = { &node };
static char buffer[8];

int coroutine_fn bdrv_co_read(BlockDriverState *bs, int64_t offset, char *buf)
{
    expect("read", bs == &node && buf == buffer);
    note("read:%d@%s", (int)offset, where());
    strcpy(buf, "abc");
    return 40 + offset;
}

int coroutine_fn nbd_co_write(BdrvChild *c, const char *buf, bool fua)
{
    expect("write", c == &child && fua);
    suspend_once();
    note("write:%s@%s", buf, where());
    return -5;
}

const char *coroutine_fn bdrv_co_name(BdrvChild *c)
{
    expect("name", c == &child);
    note("name@%s", where());
    return "disk";
}

void coroutine_fn bdrv_co_forget(BlockDriverState *bs)
{
    expect("forget", bs == &node);
    note("forget@%s", where());
}

static void test_read(void)
{
    expect("read", bdrv_read(&node, 2, buffer) == 42 && !strcmp(buffer, "abc"));
}

static void test_write(void)
{
    expect("write", nbd_write(&child, "x", true) == -5);
}

static void test_name(void)
{
    expect("name", !strcmp(bdrv_name(&child), "disk"));
}

static void test_forget(void)
{
    bdrv_forget(&node);
}

int main(void)
{
    test_read();
    expect_log("read, outside", "enter:node read:2@co:node kick");
    in_coroutine(&main_context, test_read);
    expect_log("read, in a coroutine", "read:2@co:main");

    test_write();
    expect_log("write, outside", "enter:node bh:node wake write:x@co:node kick");
    in_coroutine(&main_context, test_write);
    expect_log("write, in a coroutine", "bh:main wake write:x@co:main");

    test_name();
    expect_log("name, outside", "enter:node name@co:node kick");
    in_coroutine(&main_context, test_name);
    expect_log("name, in a coroutine", "name@co:main");

    test_forget();
    expect_log("forget, outside", "enter:node forget@co:node kick");
    in_coroutine(&main_context, test_forget);
    expect_log("forget, in a coroutine", "forget@co:main");

    return verdict();
}
