/*
 * What QEMU's own script passes over in silence, or gets wrong.  Each of these
 * is wrapped, and what is generated compiles together with this header.
 */
#ifndef FAULTS_HANDLED_H
#define FAULTS_HANDLED_H

#define co_wrapper
#define co_wrapper_mixed
#define no_co_wrapper
#define WARN_UNUSED __attribute__((warn_unused_result))
#define STRAY(name) typedef int name##_stray

struct pair {
    int a, b;
};
typedef struct pair *PairRef;
typedef void CompletionFunc(void *opaque, int ret);
enum colour { RED };

/* --- return types --- */

unsigned int coroutine_fn a_co_two_words(int x);
unsigned int co_wrapper a_two_words(int x);

const char *coroutine_fn a_co_const_pointer(int x);
const char *co_wrapper a_const_pointer(int x);

struct pair *coroutine_fn a_co_struct_pointer(int x);
struct pair *co_wrapper a_struct_pointer(int x);

struct pair **coroutine_fn a_co_two_stars(int x);
struct pair **co_wrapper a_two_stars(int x);

struct pair coroutine_fn a_co_struct(int x);
struct pair co_wrapper_mixed a_struct(int x);

enum colour coroutine_fn a_co_enum(int x);
enum colour co_wrapper a_enum(int x);

PairRef coroutine_fn a_co_typedef(int x);
PairRef co_wrapper a_typedef(int x);

const int coroutine_fn a_co_const(int x);
const int co_wrapper a_const(int x);

void (*coroutine_fn a_co_callback(int x))(int);
void co_wrapper (*a_callback(int x))(int);

int
coroutine_fn a_co_own_line(int x);
int
co_wrapper
a_own_line(int x);

/* --- words in between --- */

int coroutine_fn a_co_attribute(int x);
__attribute__((warn_unused_result)) int co_wrapper a_attribute(int x);

int coroutine_fn a_co_between(int x);
int __attribute__((noinline)) co_wrapper a_between(int x);

int coroutine_fn a_co_behind_mark(int x);
int co_wrapper WARN_UNUSED a_behind_mark(int x);

int coroutine_fn a_co_behind(int x);
int co_wrapper a_behind(int x) __attribute__((warn_unused_result));

int coroutine_fn GRAPH_RDLOCK a_co_lock(int x);
int co_wrapper GRAPH_RDLOCK a_lock(int x);

int a_order(int x);
int no_co_wrapper coroutine_fn a_co_order(int x);

    int coroutine_fn a_co_indented(int x);
    int co_wrapper a_indented(int x);

int coroutine_fn a_co_trailing(int x);
int co_wrapper a_trailing(int x); /* a remark */

int coroutine_fn a_co_blank(int x);
int co_wrapper a_blank (int x) ;

STRAY(one);
int coroutine_fn a_co_after_macro(int x);
int co_wrapper a_after_macro(int x);

/* --- parameters --- */

int coroutine_fn a_co_array(uint8_t buf[16], char *argv[], int m[3][4], int v[static 2]);
int co_wrapper a_array(uint8_t buf[16], char *argv[], int m[3][4], int v[static 2]);

int coroutine_fn a_co_function(void (*cb)(void *, int), CompletionFunc *other, int compare(int, int));
int co_wrapper a_function(void (*cb)(void *, int), CompletionFunc *other, int compare(int, int));

int coroutine_fn a_co_nested(void (*(*choose)(int which))(char *), int (*(*rows)[2])(void));
int co_wrapper a_nested(void (*(*choose)(int which))(char *), int (*(*rows)[2])(void));

int coroutine_fn a_co_derived(int a_co_derived_entry, int a_derived);
int co_wrapper a_derived(int a_co_derived_entry, int a_derived);

int a_bh_derived(int a_bh_derived_bh);
int no_co_wrapper a_co_bh_derived(int a_bh_derived_bh);

int coroutine_fn a_co_const_value(const int n, char *const p, const char *const *q);
int co_wrapper_mixed a_const_value(const int n, char *const p, const char *const *q);

int coroutine_fn a_co_comment(int x, int y);
int co_wrapper a_comment(int x, /* a comma, and a ) too */ int y // here, as well
                         );

int coroutine_fn a_co_continued(int x, int y);
int co_wrapper a_continued(int x, \
                           int y);

int coroutine_fn a_co_names(int co, int ret, int s, int poll_state, int opaque, int qemu_in_coroutine, int a_co_names);
int co_wrapper_mixed a_names(int co, int ret, int s, int poll_state, int opaque, int qemu_in_coroutine, int a_co_names);

int a_bh_names(int co, int ret, int s, int assert, int qemu_coroutine_self);
int no_co_wrapper a_co_bh_names(int co, int ret, int s, int assert, int qemu_coroutine_self);

int coroutine_fn a_co_camel(int camelCase, int UPPER, int _underscore);
int co_wrapper a_camel(int camelCase, int UPPER, int _underscore);

int coroutine_fn a_co_unused(int x);
int co_wrapper a_unused(int x __attribute__((unused)));

int coroutine_fn a_co_none(void);
int co_wrapper_mixed a_none(void);

/* --- what is not compiled, or not always --- */

/* int co_wrapper a_in_comment(int x); */
// int co_wrapper a_in_line_comment(int x);
#if 0
nothing to see here
int co_wrapper a_never(int x);
#else
int coroutine_fn a_co_otherwise(int x);
int co_wrapper a_otherwise(int x);
#endif
#define A_MACRO int co_wrapper a_in_macro(int x);

#ifdef CONFIG_ABSENT
AbsentType coroutine_fn a_co_absent(AbsentType x);
AbsentType co_wrapper a_absent(AbsentType x);
#elif defined(CONFIG_ALSO_ABSENT) && CONFIG_ALSO_ABSENT > 2
AbsentType coroutine_fn a_co_absent(int x);
AbsentType co_wrapper a_absent(int x);
#else
int coroutine_fn a_co_absent(int x);
int co_wrapper a_absent(int x);
#endif

/* --- twice --- */

int coroutine_fn a_co_twice(int x, int y[]);
int co_wrapper a_twice(int x, int y[]);
int co_wrapper a_twice(int x, int *y);

#endif
