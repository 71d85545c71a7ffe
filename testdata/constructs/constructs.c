/*
 * Every way in which one function comes to call another.
 *
 * Each construct has a caller and a target of its own, named `by_<construct>` and `to_<construct>`; `tests/questions.rs`
 * asks for the path between the two. What must not be a call ends in `not_<construct>`.
 */
#include "co.h"

#define TARGET(name) static void to_##name(void) {} static void not_##name(void) {}
typedef void Function(void);

struct twin;
void far(void);

/* --- by name ----------------------------------------------------------------------------------------------------- */

TARGET(name)
void by_name(void);
void by_name(void)
{
    to_name();
    (void)not_name;
}

TARGET(macro)
#define CALL(f) do { f(); } while (0)
void by_macro(void);
void by_macro(void)
{
    CALL(to_macro);
    (void)not_macro;
}

TARGET(statement_expression)
void by_statement_expression(void);
void by_statement_expression(void)
{
    int x = ({ to_statement_expression(); 1; });
    (void)x;
    (void)not_statement_expression;
}

TARGET(cleanup)
static void to_cleanup_int(int *x)
{
    (void)x;
    to_cleanup();
}
static void not_cleanup_int(int *x)
{
    (void)x;
    not_cleanup();
}
void by_cleanup(void);
void by_cleanup(void)
{
    __attribute__((cleanup(to_cleanup_int))) int guard = 0;
    (void)guard;
    (void)not_cleanup_int;
}

/* --- through a field --------------------------------------------------------------------------------------------- */

TARGET(field)
struct Field { Function *call, *other; };
struct Field a_field;
void by_field(void);
void by_field(void)
{
    a_field.call = to_field;
    a_field.other = not_field;
    a_field.call();
}

TARGET(deref)
struct Deref { Function *call, *other; };
void by_deref(struct Deref *d);
void by_deref(struct Deref *d)
{
    d->call = &to_deref;
    d->other = (not_deref);
    (*d->call)();
}

TARGET(anonymous)
struct Anonymous { struct { Function *call; }; union { Function *other; int x; }; };
void by_anonymous(struct Anonymous *a);
void by_anonymous(struct Anonymous *a)
{
    a->call = to_anonymous;
    a->other = not_anonymous;
    a->call();
}

TARGET(designated)
struct Designated { Function *call, *other; };
static const struct Designated designated = { .call = to_designated, .other = not_designated };
void by_designated(void);
void by_designated(void)
{
    designated.call();
}

TARGET(positional)
struct Positional { int x; Function *call, *other; };
static const struct Positional positional = { 1, to_positional, not_positional };
void by_positional(void);
void by_positional(void)
{
    positional.call();
}

TARGET(nested)
struct Inner { Function *call, *other; };
struct Nested { struct Inner inner; };
static const struct Nested nested = { .inner.call = to_nested, .inner.other = not_nested };
void by_nested(void);
void by_nested(void)
{
    nested.inner.call();
}

TARGET(conditional)
struct Conditional { Function *call, *other; };
void by_conditional(struct Conditional *c, int x);
void by_conditional(struct Conditional *c, int x)
{
    c->call = x ? to_conditional : 0;
    c->other = x ? 0 : not_conditional;
    c->call();
}

TARGET(cast)
struct Cast { void (*call)(int), (*other)(int); };
typedef void (*CastFunction)(int);
void by_cast(struct Cast *c);
void by_cast(struct Cast *c)
{
    c->call = (CastFunction)to_cast;
    c->other = (CastFunction)not_cast;
    c->call(1);
}

TARGET(local_struct)
struct LocalStruct { Function *call, *other; };
void by_local_struct(void);
void by_local_struct(void)
{
    struct LocalStruct local = { .call = to_local_struct, .other = not_local_struct };
    local.call();
}

TARGET(static_local)
struct StaticLocal { Function *call, *other; };
void by_static_local(void);
void by_static_local(void)
{
    static const struct StaticLocal local = { to_static_local, not_static_local };
    local.call();
}

TARGET(compound)
struct Compound { Function *call, *other; };
static void call_compound(const struct Compound *c)
{
    c->call();
}
void by_compound(void);
void by_compound(void)
{
    call_compound(&(struct Compound){ .call = to_compound, .other = not_compound });
}

TARGET(struct_copy)
struct StructCopy { Function *call, *other; };
void by_struct_copy(struct StructCopy *to);
void by_struct_copy(struct StructCopy *to)
{
    struct StructCopy from = { to_struct_copy, not_struct_copy };
    *to = from;
    to->call();
}

/* --- through anything else ------------------------------------------------------------------------------------------ */

TARGET(local)
void by_local(void);
void by_local(void)
{
    Function *call = to_local, *other = not_local;
    call();
    (void)other;
}

TARGET(global)
Function *global_call = to_global, *global_other = not_global;
void by_global(void);
void by_global(void)
{
    global_call();
}

TARGET(table)
static Function *const table[] = { 0, to_table };
static Function *const other_table[] = { not_table };
void by_table(int x);
void by_table(int x)
{
    table[x]();
    (void)other_table;
}

TARGET(element)
static Function *elements[4], *other_elements[4];
void by_element(int x);
void by_element(int x)
{
    elements[x] = to_element;
    other_elements[x] = not_element;
    elements[0]();
}

TARGET(parameter)
static void call_parameter(Function *call, Function *other)
{
    call();
    (void)other;
}
void by_parameter(void);
void by_parameter(void)
{
    call_parameter(to_parameter, not_parameter);
}

TARGET(passed_on)
static void pass_on(Function *call, Function *other)
{
    call_parameter(call, other);
}
void by_passed_on(void);
void by_passed_on(void)
{
    pass_on(to_passed_on, not_passed_on);
}

TARGET(returned)
static Function *choose(int x)
{
    return x ? to_returned : 0;
}
static Function *choose_other(void)
{
    return not_returned;
}
void by_returned(void);
void by_returned(void)
{
    choose(1)();
    (void)choose_other();
}

TARGET(entry)
void qemu_coroutine_create(CoroutineEntry *entry, void *opaque);
void run_entry(CoroutineEntry *entry);
static void coroutine_fn to_entry_co(void *opaque)
{
    (void)opaque;
    to_entry();
}
void by_entry(void);
void by_entry(void)
{
    qemu_coroutine_create(to_entry_co, 0);
    (void)not_entry;
}

/* --- a mark that comes with a typedef ------------------------------------------------------------------------------- */

struct Typedef { CoroutineEntry *marked; void (*unmarked)(void *opaque); };

/* --- what is no call ------------------------------------------------------------------------------------------------ */

static int not_sizeof(void)
{
    return 1;
}
static int not_chosen(void)
{
    return 1;
}
static int to_chosen(void)
{
    return 1;
}
int by_sizeof(void);
int by_sizeof(void)
{
    return sizeof(not_sizeof()) + __builtin_choose_expr(1, to_chosen(), not_chosen());
}

/* --- one name, two functions ---------------------------------------------------------------------------------------- */

static void twin(void) {}
void twin_here(void);
void twin_here(void)
{
    twin();
}

/* --- guarded -------------------------------------------------------------------------------------------------------- */

static void to_inside(void) {}
static void to_outside(void) {}
void by_guard(void);
void by_guard(void)
{
    if (qemu_in_coroutine()) {
        to_inside();
    } else {
        to_outside();
    }
}
