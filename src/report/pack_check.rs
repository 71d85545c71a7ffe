//! What the entries of a pack match in a tree. Field names are keys of the JSON format.

use std::path::PathBuf;

use serde::Serialize;

use crate::findings::{Span, lossy};

/// A pack compared with a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackCheck {
    /// The pack's name.
    pub pack: String,
    /// Its file; the name of a built-in pack.
    #[serde(with = "lossy")]
    pub file: PathBuf,
    /// The entries of the file, in its order. Those of packs that it extends are not among them.
    pub entries: Vec<CheckedEntry>,
    /// Whether the entries were compared with a tree.
    pub with_tree: bool,
    /// Translation units of the tree that could not be read: they may have what matches nothing.
    pub unread_units: usize,
}

/// An entry of a pack, and what it matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedEntry {
    /// The key that it is written under, such as `mark.name`.
    pub key: String,
    /// The name or pattern, as written.
    pub name: String,
    /// Its line in the file, from 1.
    pub line: u32,
    /// What it matches, by kind, such as 1 function and 12 calls; nothing if it matches nothing.
    pub matches: Vec<MatchCount>,
    /// The first location of what it matches.
    pub first: Option<Span>,
    /// A similar name that the tree has, if it matches nothing.
    pub similar: Option<String>,
    /// Whether a tree may well lack it, such as a function of a library.
    pub optional: bool,
}

/// How many things of a kind match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatchCount {
    /// The kind, in the singular.
    pub what: &'static str,
    /// How many.
    pub count: usize,
}

impl PackCheck {
    /// The entries that match nothing and should.
    pub fn unmatched(&self) -> impl Iterator<Item = &CheckedEntry> {
        self.entries.iter().filter(|entry| self.with_tree && entry.matches.is_empty() && !entry.optional)
    }
}
