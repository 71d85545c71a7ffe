//! cowrap: checks that coroutine code is entered through generated wrappers, over a whole C tree.
//!
//! The modules are in the order in which data flows through them; `docs/ARCHITECTURE.md` tells the way, and
//! what each must never know.

#![warn(missing_docs)]

pub mod cli;
pub mod driver;

pub mod source;
pub mod cache;
pub mod config;
pub mod compdb;
pub mod scan;
pub mod clang;
pub mod extract;
pub mod facts;
pub mod index;
pub mod program;
pub mod effects;
pub mod words;
pub mod rules;
pub mod questions;
pub mod wrapgen;
pub mod rewrite;
pub mod plan;
pub mod suppression;
pub mod findings;
pub mod git;
pub mod fix;
pub mod render;
