//! From a tree to facts: the compilation database, libclang, scanning, sharing of precompiled headers, extraction, scheduling.
//!
//! It must never know rules, the meaning of marks, or output.

#![warn(missing_docs)]

pub mod index;
pub mod pch;
pub mod compdb;
pub mod scan;
pub mod extract;
pub mod clang;
