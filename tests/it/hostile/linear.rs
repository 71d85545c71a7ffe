//! Large input takes time in proportion to its size.
