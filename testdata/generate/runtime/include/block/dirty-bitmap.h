/* Included by generated files; everything is in runtime.h. */
