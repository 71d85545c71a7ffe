//! From facts to findings: the program, contexts, rules, queries.
//!
//! It must never know libclang, files, the terminal, or any code base's own names.

#![warn(missing_docs)]

pub mod program;
pub mod effects;
pub mod wording;
pub mod rules;
pub mod queries;
