//! Files, paths, digests, atomic writes, git, the store of the cache, and messages about texts.
//!
//! It must never know C or rules.

#![warn(missing_docs)]

pub mod diagnostic;
pub mod files;
pub mod limits;
pub mod cache;
pub mod git;
