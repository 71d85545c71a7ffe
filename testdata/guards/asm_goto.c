/* asm goto: control may go on at each of its labels, or behind it. */
#include "co.h"

#define jump_to(label, other) \
    do { asm volatile goto("" : : "i" (label_number(1)) : "memory" : label, other); } while (0)
#define label_number(x) (x)

int no_coroutine_fn asm_goto_hit(void)
{
    asm goto("jmp %l[slow]" : : : : slow);
    return 0;
slow:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int asm_goto_behind_a_guard(void)
{
    if (!qemu_in_coroutine()) {
        return 0;
    }
    asm goto("jmp %l[slow]" : : : : slow);
    return 0;
slow:
    return co_leaf(); /* near miss: only coroutines jump here */
}

int asm_goto_goes_on_hit(void)
{
    asm goto("" : : : : out);
    co_leaf(); /* expect: error coroutine-call: co_leaf */
out:
    return 0;
}

int asm_goto_with_an_output_hit(void)
{
    bool inside = qemu_in_coroutine();

    asm goto("" : "=r" (inside) : : : slow);
    return 0;
slow:
    if (inside) {
        return co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return 0;
}

int asm_goto_with_an_input(void)
{
    bool inside = qemu_in_coroutine();

    asm goto("" : : "r" (plain_leaf()) : : slow);
    return 0;
slow:
    if (inside) {
        return co_leaf(); /* near miss: the guard is older than the jump */
    }
    return 0;
}

int no_coroutine_fn asm_goto_in_a_macro_hit(void)
{
    jump_to(first, second);
    return 0;
first:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
second:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}

int no_coroutine_fn asm_without_goto(void)
{
    asm volatile("" : : "r" (0) : "memory");
    return 0;
slow:
    return co_leaf(); /* near miss: nothing jumps here */
    goto slow;
}

int no_coroutine_fn each_asm_has_its_labels(int x)
{
    if (x) {
        asm goto("" : : : : used);
        return 0;
    }
    asm volatile("# : unused" : : : "memory");
    return 0;
used:
    return block_leaf();
unused:
    return co_leaf(); /* near miss: nothing jumps here */
    goto unused;
}

int no_coroutine_fn names_for_the_assembler_are_no_statements(int x)
{
    register int fixed asm("rax") = x;
    extern int elsewhere(void) asm("other_name");

    if (elsewhere() + fixed) {
        asm goto("" : : "r" (({ asm volatile("" : : : "memory"); 1; })) : : used);
        return 0;
    }
    asm volatile("# : unused" : : : "memory");
    return 0;
used:
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
unused:
    return co_leaf(); /* near miss: nothing jumps here */
    goto unused;
}

int asm_goto_to_local_labels(void)
{
    ({
        __label__ out;
        asm goto("" : : : : out);
    out:
        0;
    });
    ({
        __label__ out;
        asm goto("" : : : : out);
        if (!qemu_in_coroutine()) {
            return 0;
        }
    out:
        co_leaf(); /* expect: error coroutine-call: co_leaf */
    });
    return 0;
}
