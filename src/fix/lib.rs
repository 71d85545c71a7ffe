//! Fixing, the mechanical half: merging edits, conflicts, diffs and patches, and applying them whole or not at all.
//!
//! It must never know rules, C, the program or the terminal: which edits there should be is decided elsewhere.

#![warn(missing_docs)]

pub mod plan;
mod apply;
mod diff;
mod edits;
mod mail;

use std::path::PathBuf;

pub use apply::{Outcome, Reason, Refusal, Unsynced, write_all};
pub use diff::unified;
pub use edits::{Conflict, EditSet, GroupId, OutOfBounds};
pub use mail::{Mail, patch_mail, patch_name};

/// A file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file's path relative to the tree's root.
    pub path: PathBuf,
    /// Its text as it was read.
    pub old: Vec<u8>,
    /// Its text as it shall be.
    pub new: Vec<u8>,
}
