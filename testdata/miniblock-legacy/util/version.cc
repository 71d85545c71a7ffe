// A unit in another language.  The database lists it, and nothing about
// contexts can be learnt from it.
extern "C" const char *mini_version(void);

extern "C" const char *mini_version(void)
{
    return MINI_VERSION;
}
