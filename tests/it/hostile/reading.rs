//! Only regular files are read, and only where the tree may name them.
