/* What a generator wrote is made again with the next build. */
int generated_prototype(void);
