//! Findings: what is reported. The second waist: plain data, and the program ends here.
//!
//! It must never know how a finding was found or how it will be shown.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It breaks the rule; the exit status is 1.
    Error,
    /// It is probably wrong, or depends on something that cannot be seen.
    Warning,
}

/// Something to fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule that it breaks.
    pub rule: String,
    /// How grave it is.
    pub level: Level,
    /// The fact, in lower case and without a full stop.
    pub message: String,
    /// The function that it is about; empty when it is about none.
    pub function: String,
    /// Where it is.
    pub primary: Label,
    /// Other places that matter: the mark that makes it true, further calls.
    pub secondary: Vec<Label>,
    /// What else there is to know.
    pub notes: Vec<Note>,
    /// What to do about it.
    pub help: Vec<String>,
}

/// A remark on a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// The place.
    pub at: Span,
    /// The remark.
    pub text: String,
}

/// A remark, with a place where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The remark.
    pub text: String,
    /// What it is about.
    pub at: Option<Span>,
}

/// A word in a file. Line and column count from 1, the column in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The file's path relative to the root; absolute when it is outside of it.
    #[serde(with = "lossy")]
    pub path: PathBuf,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Puts findings into the order in which they are reported, and drops equal ones.
pub fn sort(findings: &mut Vec<Finding>) {
    fn key(finding: &Finding) -> (&Span, &str, &str) {
        (&finding.primary.at, &finding.rule, &finding.message)
    }
    findings.sort_by(|one, other| key(one).cmp(&key(other)));
    findings.dedup();
}

/// Paths in outputs: bytes that are not UTF-8 become replacement characters.
pub(crate) mod lossy {
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&path.to_string_lossy())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        String::deserialize(deserializer).map(PathBuf::from)
    }
}
