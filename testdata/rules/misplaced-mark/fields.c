/* Fields, tags and typedefs. */
#include "co.h"

struct driver {
    int coroutine_fn sectors; /* expect: warning misplaced-mark: coroutine_fn */
    int coroutine_fn (*co_read)(int sector); /* near miss: a function pointer */
    int (coroutine_fn *co_write)(int sector); /* near miss: a function pointer */
    int coroutine_fn (*co_table[2])(int sector); /* near miss: an array of function pointers */
    CoroutineEntry *entry; /* near miss: the typedef's mark is on a function pointer */
    union {
        long no_coroutine_fn cookie; /* expect: warning misplaced-mark: no_coroutine_fn */
        void no_coroutine_fn (*cancel)(void); /* near miss: a function pointer */
    };
};

struct coroutine_fn tagged { /* expect: warning misplaced-mark: coroutine_fn */
    int member;
};

typedef int coroutine_fn Sector; /* expect: warning misplaced-mark: coroutine_fn */
typedef int coroutine_fn Reader(int sector); /* near miss: a function type */
typedef int coroutine_fn (*ReaderPtr)(int sector); /* near miss: a function pointer type */
typedef struct driver coroutine_mixed_fn Driver; /* expect: warning misplaced-mark: coroutine_mixed_fn */

enum coroutine_fn colour { RED }; /* expect: warning misplaced-mark: coroutine_fn */
