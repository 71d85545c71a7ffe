/* What a.c exports. */
int a_load(int n);
