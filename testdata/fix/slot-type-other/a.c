/* The mark of a parameter is written on a type that others share. */
#include "co.h"
typedef void coroutine_fn CoCb(void);
typedef void Cb(void);
struct s { CoCb *in_co; };
extern Cb *other;
Cb *other;
void set_other(Cb *given);
void set_other(Cb *given) { other = given; }
static void both(void) { dev_read(1); }
static void set(struct s *s, Cb *given) { s->in_co = given; }
void start(struct s *s);
void start(struct s *s) { set(s, both); }
void coroutine_fn run(struct s *s);
void coroutine_fn run(struct s *s) { s->in_co(); }
