t co_wrapper bdrv_f(e x[;]);
int co_wrapper bdrv_g(int n; int x[n], int n);
