t$ co_wrapper b_i(u b);
té co_wrapper b_j(u\é b);
