//! From fixes to files: the mechanical half of `cowrap fix`, in the order of the work.
//!
//! 1. [`Planner`] turns a fix into edits: what the fix does is said in terms of the program
//!    ("mark this function"), and `csyntax` knows where that goes in a text. [`Dependencies`]
//!    says which fixes need which others.
//! 2. [`EditSet`] merges the edits of many fixes. The edits of one fix are a group that is made
//!    whole or not at all; a group that collides with another one is refused.
//! 3. [`write_all`] writes the changed files, all or none.
//! 4. [`unified_diff`] and [`patch_mail`] show the changes instead, as a diff or as patches for
//!    `git am`.
//!
//! This crate must never know rules, the program, libclang or the terminal. Which fixes there
//! should be is decided by rules, and whether they worked by the session.

#![warn(missing_docs)]

mod plan;
mod merge;
mod order;
mod journal;
mod apply;
mod diff;
mod line_diff;
mod patches;

use std::path::PathBuf;

pub use apply::{
    RecoverError, Recovered, RefusalReason, RefusedChange, UnsyncedDirectory, WriteOutcome, is_unfinished, recover,
    remove_leftovers, write_all,
};
pub use diff::{plain_diff, unified_diff};
pub use journal::JOURNAL;
pub use merge::{Conflict, EditSet, GroupId, OutOfBounds};
pub use patches::{PatchHeader, patch_mail, patch_name};
pub use plan::{Dependencies, InputList, PlanError, Planner};

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file's path relative to the root of the tree.
    pub path: PathBuf,
    /// Its text as it was read.
    pub old: Vec<u8>,
    /// Its new text.
    pub new: Vec<u8>,
}
