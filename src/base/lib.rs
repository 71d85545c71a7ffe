//! Files, paths, digests, atomic writes, git, and the store of the cache.
//!
//! It must never know C or rules.

#![warn(missing_docs)]

pub mod files;
pub mod cache;
pub mod git;
