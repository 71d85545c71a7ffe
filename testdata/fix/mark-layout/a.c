/* The layout of the head is kept: what is aligned stays aligned, what is too long is filled anew. */
#include "co.h"

typedef struct Node Node;

static int
broken_line(Node *node,
            int offset)
{
    return co_leaf();
}

static Node *pointer(Node *node, int offset,
                     int bytes)
{
    co_leaf();
    return node;
}

static Node **two_pointers(Node *node)
{
    co_leaf();
    return NULL;
}

static int filled_anew(Node *node, int64_t offset, int64_t bytes, int flags_x)
{
    return co_leaf();
}

static unsigned int a_name_that_is_so_long_that_only_a_break_helps(void)
{
    return co_leaf();
}

static void (*gives_pointer(int which))(void)
{
    co_leaf();
    return NULL;
}

static struct { int value; } *anonymous(void)
{
    co_leaf();
    return NULL;
}

static int __attribute__((noinline)) attributed(void)
{
    return co_leaf();
}

static int GRAPH_RDLOCK locked(void)
{
    return co_leaf();
}

int coroutine_fn run(Node *node);
int coroutine_fn run(Node *node)
{
    broken_line(node, 1);
    pointer(node, 1, 2);
    two_pointers(node);
    filled_anew(node, 1, 2, 3);
    gives_pointer(1);
    anonymous();
    locked();
    return attributed() + a_name_that_is_so_long_that_only_a_break_helps();
}
