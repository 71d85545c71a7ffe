/*
 * Calls every wrapper in the contexts that it is meant for: arguments, results,
 * where it runs, the order of locks.  For 8.0 and later; what differs between
 * the releases is defined by the file that includes this one.
 */
#include "qemu/osdep.h"
#include "block/coroutines.h"

#include <string.h>

static AioContext node_context = { "node" }, caller_context = { "caller" };
static BlockDriverState node = { &node_context };
static BdrvChild child = { &node };
static BlockBackend backend = { &node };
static char buffer[8];

int coroutine_fn bdrv_co_sync(BlockDriverState *bs, int64_t offset, char *buf)
{
    expect("sync", bs == &node && buf == buffer);
    suspend_once();
    note("sync:%d@%s", (int)offset, where());
    strcpy(buf, "abc");
    return 40 + offset;
}

const char *coroutine_fn bdrv_co_name(BdrvChild *c)
{
    expect("name", c == &child);
    note("name@%s", where());
    return "disk";
}

int64_t coroutine_fn GRAPH_RDLOCK blk_co_length(BlockBackend *blk)
{
    expect("length", blk == &backend);
    note("length@%s", where());
    return 1LL << 40;
}

void coroutine_fn GRAPH_RDLOCK bdrv_co_trim(BlockDriverState *bs, bool hard)
{
    expect("trim", bs == &node && hard);
    note("trim@%s", where());
}

unsigned int coroutine_fn bdrv_co_create(const char *name, unsigned int flags)
{
    note("create:%s@%s", name, where());
    return flags + 1;
}

BdrvChild *bdrv_attach(BlockDriverState *parent, const char *role)
{
    expect("attach", parent == &node);
    note("attach:%s@%s", role, where());
    return &child;
}

void bdrv_reopen(int level, int speed)
{
    note("reopen:%d,%d@%s", level, speed, where());
}

static void test_sync(void)
{
    expect("sync", bdrv_sync(&node, 2, buffer) == 42 && !strcmp(buffer, "abc"));
}

static void test_name(void)
{
    expect("name", !strcmp(bdrv_name(&child), "disk"));
}

static void test_length(void)
{
    expect("length", blk_length(&backend) == 1LL << 40);
}

static void test_trim(void)
{
    bdrv_trim(&node, true);
}

static void test_create(void)
{
    expect("create", bdrv_create("file", 4294967294u) == 4294967295u);
}

static void coroutine_fn test_attach(void)
{
    expect("attach", bdrv_co_attach(&node, "backing") == &child);
    note("back@%s", where());
}

static void coroutine_fn test_reopen(void)
{
    bdrv_co_reopen(1, 2);
    note("back@%s", where());
}

#if HAS_LOCKED_BOTTOM_HALVES
int GRAPH_RDLOCK bdrv_count(BdrvChild *c)
{
    expect("count", c == &child);
    note("count@%s", where());
    return 3;
}

void GRAPH_WRLOCK blk_detach(BlockBackend *blk)
{
    expect("detach", blk == &backend);
    note("detach@%s", where());
}

static void coroutine_fn test_count(void)
{
    expect("count", bdrv_co_count(&child) == 3);
}

static void coroutine_fn test_detach(void)
{
    blk_co_detach(&backend);
}
#endif

#define A_NODE  WHERE_A_NODE_SAYS
#define NOTHING WHERE_NOTHING_SAYS

int main(void)
{
    in_context(&caller_context, test_sync);
    expect_log("sync", "enter:" A_NODE " bh:" A_NODE " wake sync:2@co:" A_NODE " kick");

    in_context(&caller_context, test_name);
    expect_log("name, outside", "enter:" A_NODE " name@co:" A_NODE " kick");
    in_coroutine(&main_context, test_name);
    expect_log("name, in a coroutine", "name@co:main");

    in_context(&caller_context, test_length);
    expect_log("length", "enter:" A_NODE " co_rdlock length@co:" A_NODE " co_rdunlock kick");

    in_context(&caller_context, test_trim);
    expect_log("trim, outside", "enter:" A_NODE " co_rdlock trim@co:" A_NODE " co_rdunlock kick");
    in_coroutine(&main_context, test_trim);
    expect_log("trim, in a coroutine", "assume trim@co:main");

    in_context(&caller_context, test_create);
    expect_log("create", "enter:" NOTHING " create:file@co:" NOTHING " kick");

    in_coroutine(&caller_context, test_attach);
    expect_log("attach", "bh:main " ACQUIRE("node") "attach:backing@plain:main " RELEASE("node")
               "wake back@co:caller");

    in_coroutine(&caller_context, test_reopen);
    expect_log("reopen", "bh:main " ACQUIRE("main") "reopen:1,2@plain:main " RELEASE("main")
               "wake back@co:caller");

#if HAS_LOCKED_BOTTOM_HALVES
    in_coroutine(&caller_context, test_count);
    expect_log("count", "bh:main rdlock " ACQUIRE("node") "count@plain:main " RELEASE("node") "rdunlock wake");

    in_coroutine(&caller_context, test_detach);
    expect_log("detach", "bh:main wrlock " ACQUIRE("node") "detach@plain:main " RELEASE("node") "wrunlock wake");
#endif

    return verdict();
}
