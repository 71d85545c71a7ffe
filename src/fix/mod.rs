//! Fixing, the mechanical half: merging edits, conflicts, diffs and patches, and applying them whole or not at all.
//!
//! It must never know rules, C, the program or the terminal: which edits there should be is decided elsewhere.

mod edits;

pub use edits::{Conflict, EditSet, GroupId, OutOfBounds};
