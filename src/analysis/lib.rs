//! The analysis: from the facts of all translation units to findings and answers of queries.
//!
//! In reading order: `program` links the facts, `effects` decides what each function requires and which calls violate
//! that, `rules` reports it as findings, and `queries` explains it. `wording` has the phrases that both use.
//!
//! This crate must never know libclang, files, the terminal, or the names of any code base.

#![warn(missing_docs)]

pub mod program;
pub mod effects;
pub mod rules;
pub mod queries;
pub mod wording;
