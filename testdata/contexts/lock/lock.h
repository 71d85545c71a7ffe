#pragma once
#include <stdbool.h>
#include <stdlib.h>

void at(void);
int chance(void);
bool big_locked(void);
void big_lock_impl(const char *file, int line);
void big_lock_slow_path(void);
void big_unlock(void);
void big_relock(void);
struct guard { int taken; };
struct guard *big_guard(void);
void big_unguard(struct guard **guard);

#define big_lock() big_lock_impl(__FILE__, __LINE__)
#define BIG_CAT_(a, b) a##b
#define BIG_CAT(a, b) BIG_CAT_(a, b)
#define BIG_GUARD() BIG_GUARD_(BIG_CAT(big_guard_, __COUNTER__))
#define BIG_GUARD_(name) struct guard *name __attribute__((cleanup(big_unguard))) = big_guard()
#define WITH_BIG() WITH_BIG_(BIG_CAT(big_guard_, __COUNTER__))
#define WITH_BIG_(name) \
    for (struct guard *name __attribute__((cleanup(big_unguard))) = big_guard(); name; big_unguard(&name), name = NULL)
#define WITH_BIG_ONCE() for (int once_ = (big_lock(), 1); once_; once_ = (big_unlock(), 0))
#define WITH_BIG_IF() if (({ big_lock(); 0; })) {} else
#define WITH_BIG_WHILE() while (big_guard())
#define WITH_BIG_TWICE() for (int i_ = 0; i_ < 1; i_++) for (int j_ = 0; j_ < 1; j_++)
#define WITHOUT_BIG() for (int out_ = (big_unlock(), 1); out_; out_ = (big_lock(), 0))
#define assert_big() do { if (!big_locked()) abort(); } while (0)
