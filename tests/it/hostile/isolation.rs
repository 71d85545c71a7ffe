//! A translation unit that crashes, hangs or eats memory costs that unit.
