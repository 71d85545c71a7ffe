#include <assert.h>
#include <stdbool.h>
#include <unistd.h>

struct thread;
enum level { LEVEL_TASK, LEVEL_ISR = 4 };
extern struct thread *self, *other;
struct thread *current_thread(void);
struct thread *main_thread(void);
struct thread *thread_of(int number);
enum level current_level(void);
int depth(void);
struct thread *owner(void);
pid_t gettid(void);
void at(void);
#define get_main() main_thread()

void threads(struct thread *thread)
{
    if (current_thread() == main_thread()) {
        at(); /* out-out */
    } else {
        at(); /* in-in */
    }
    if (main_thread() != current_thread()) {
        at(); /* in-in */
    }
    if (get_main() == current_thread()) {
        at(); /* out-out */
    }
    if (current_thread() == thread || current_thread() == thread_of(1) || !current_thread()) {
        at();
    }
    if (main_thread() == thread) {
        at();
    }
    if (gettid() == getpid()) {
        at(); /* out-out */
    }
}

void constants(int x)
{
    if (current_level() == LEVEL_ISR) {
        at(); /* in-in */
    } else {
        at(); /* out-out */
    }
    if (current_level() == LEVEL_TASK) {
        at();
    }
    if (LEVEL_ISR != current_level() && x) {
        at(); /* out-out */
    }
    if (owner() == self) {
        at(); /* in-in */
    }
    if (owner() == other) {
        at();
    }
    if (depth() != 0) {
        at(); /* in-in */
    }
    if (depth()) {
        at(); /* in-in */
    }
    if (depth() == 2) {
        at(); /* in-in */
    } else {
        at();
    }
    if (!depth()) {
        at(); /* out-out */
    }
}

void stored(int x)
{
    bool is_main = current_thread() == main_thread();
    int level = current_level() == LEVEL_ISR ? 1 : 0;
    if (is_main && x) {
        at(); /* out-out */
    }
    if (level) {
        at(); /* in-in */
    }
    struct thread *const current = current_thread();
    enum level now = current_level();
    int deep = depth();
    if (current == main_thread() || x) {
        at();
    } else {
        at(); /* in-in */
    }
    if (main_thread() == (struct thread *)current) {
        at(); /* out-out */
    }
    if (current == thread_of(1) || !current) {
        at();
    }
    if (now != LEVEL_ISR) {
        at(); /* out-out */
    }
    if (deep) {
        at(); /* in-in */
    }
}

void stored_and_changed(struct thread *const first)
{
    struct thread *current = current_thread();
    if (current == main_thread()) {
        at();
    }
    if (first == main_thread()) {
        at();
    }
    while (current != first) {
        current = thread_of(1);
    }
}

void asserted(void) /* asserts: out */
{
    assert(current_thread() == main_thread());
    at(); /* out-out */
}

void both_stored(struct thread *const thread)
{
    struct thread *first = main_thread();
    struct thread *current = current_thread();
    struct thread *changed = main_thread();
    if (current_thread() == first) {
        at(); /* out-out */
    } else {
        at(); /* in-in */
    }
    if (first != current) {
        at(); /* in-in */
    }
    if (current == changed) {
        at();
    }
    changed = thread;
}

void numbers(void)
{
    if (current_level() == 4) {
        at(); /* in-in */
    } else {
        at(); /* out-out */
    }
    if (current_level() == 3) {
        at();
    }
}

void cases(int x)
{
    enum level level = current_level();
    switch (current_level()) {
    case LEVEL_TASK:
        at(); /* out-out */
        /* fall through */
    case LEVEL_ISR:
        at();
        break;
    default:
        at(); /* out-out */
    }
    switch (level) {
    case LEVEL_ISR:
        at(); /* in-in */
        break;
    default:
        at(); /* out-out */
    }
    switch (depth()) {
    case 0:
        at(); /* out-out */
        break;
    case 1:
        switch (x) {
        case 0:
            at(); /* in-in */
        }
    }
    switch (depth()) {
    case 0 ... 1:
        at();
        break;
    default:
        at(); /* in-in */
    }
    switch (x) {
    case LEVEL_ISR:
        at();
    }
}
