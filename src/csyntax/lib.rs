//! The text of C: where an edit goes in it, and the comments that suppress findings.
//!
//! It must never know the program or files.

#![warn(missing_docs)]

pub mod rewrite;
pub mod suppression;
