/* flags: -fopenmp */
/* What a pragma makes parallel is read like other code. */
#include "co.h"

int no_coroutine_fn parallel_for(int n)
{
    int sum = 0;

#pragma omp parallel for reduction(+:sum)
    for (int i = 0; i < n; i++) {
        sum += co_leaf(); /* expect: error coroutine-call: co_leaf */
    }
    return sum;
}

int no_coroutine_fn parallel_region(int n)
{
#pragma omp parallel
    {
#pragma omp critical
        co_leaf(); /* expect: error coroutine-call: co_leaf */
#pragma omp sections
        {
#pragma omp section
            plain_leaf(); /* near miss */
#pragma omp section
            co_leaf(); /* expect: error coroutine-call: co_leaf */
        }
    }
    return n;
}

int no_coroutine_fn simd(int n)
{
    int sum = 0;

#pragma omp simd
    for (int i = 0; i < n; i++) {
        sum += plain_leaf(); /* near miss */
    }
    return sum;
}

int no_coroutine_fn after_a_region(int n)
{
#pragma omp parallel
    plain_leaf();
    return co_leaf(); /* expect: error coroutine-call: co_leaf */
}
