#if !defined A_H && 1
#define A_H
#pragma once
#pragma push_macro("X")
#include_next <b.h>
#if __has_include("c.h")
#include MACRO(c.h)
#elif 0
#import "d.h"
#else
_Pragma("GCC poison foo")
#endif
#define F(a, ...) a ## __VA_ARGS__ F(a) _Pragma("once")
int x = F(1) ;
#pragma pop_macro("X")
#endif
