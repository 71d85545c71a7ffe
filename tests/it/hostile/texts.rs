//! C texts from a generator that nests, repeats and lies.
