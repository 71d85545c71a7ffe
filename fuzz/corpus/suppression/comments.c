// cowrap: allow(coroutine-call) the reason
// goes on here
int f(void) {
    g(); /* cowrap: allow(a, b): c */
    /* cowrap: allow() */
    // cowrap: deny(x)
}
/*
 * cowrap: allow(x) -- y
 */
#define M 1
/* cowrap: allow(z
