//! From a C tree to facts: the compilation database, libclang, scanning, PCH sharing, extraction,
//! scheduling.
//!
//! It must never know rules, the meaning of marks, or output.
//!
//! The modules are in the order of the data: `compdb` gives the units, `marks` the headers in which
//! marks are visible, `scan` and `sources` the texts without a compiler, `parse` and `extract` the
//! facts of one unit, `worker` the processes in which that happens, `pch` the same with shared header
//! work, `preamble` the same for one edited unit, `unit_cache` what earlier runs already know, and `index` schedules all of it.

#![warn(missing_docs)]

pub mod compdb;
pub mod environment;
pub mod marks;
pub mod scan;
pub mod sources;
pub mod clang;
mod compiler_input;
mod parse;
pub mod extract;
mod tree_paths;
pub mod failure;
pub mod worker;
pub mod unit_reader;
pub mod pch;
pub mod preamble;
pub mod unit_cache;
pub mod index;
mod bytes;
