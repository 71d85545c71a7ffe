/* The marks of the pack `plain`. */
#define INSIDE_ONLY
#define OUTSIDE_ONLY

_Bool is_inside(void);
void INSIDE_ONLY primitive(void);
void library_call(void);
