//! Findings: what is reported. The second waist: plain data, and the program ends here.
//! Also fingerprints and baselines, which recognise the findings of earlier runs.
//!
//! It must never know how a finding was found or how it is shown.

mod baseline;
mod fingerprint;
mod subject;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::report::is_meant;

pub use baseline::{Baseline, BaselineEntry, BaselineError};
pub use fingerprint::{Fingerprints, UNNAMED_PACK};
pub use subject::{Role, Subject};

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The rule is violated; the exit status is 1.
    Error,
    /// The rule is probably violated, or it depends on something that cowrap cannot see.
    Warning,
    /// The rule may be violated, with little evidence.
    Note,
}

/// A violation of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule, by the name that the pack gives it.
    pub rule: String,
    /// The pack with which it was found, by name; `None` for a finding about a comment or the baseline.
    pub pack: Option<String>,
    /// How serious it is.
    pub level: Level,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// The enclosing function; empty if there is none.
    pub function: String,
    /// What else identifies it, by name: the fingerprint is made of these, the rule, the path and
    /// the function.
    pub subjects: Vec<Subject>,
    /// The functions and slots that its labels and notes are about, by name.
    #[serde(skip)]
    pub mentions: BTreeSet<String>,
    /// Where it is.
    pub primary: Label,
    /// Other locations that matter: the mark that is violated, further calls.
    pub secondary: Vec<Label>,
    /// Those of the other locations that violate the rule just as the first one does.
    #[serde(skip)]
    pub further: Vec<Span>,
    /// More information, such as callers and call chains.
    pub notes: Vec<Note>,
    /// What to do.
    pub help: Vec<String>,
    /// Fixes that `cowrap fix` can apply.
    pub fixes: Vec<Fix>,
    /// Identifies it across reports ([`Fingerprints`]); empty until it is computed.
    pub fingerprint: String,
    /// Whether it existed before, if the report is compared with something.
    pub state: Option<BaselineState>,
}

impl Finding {
    /// A finding without labels, notes and help. `message` is in lower case and without a full
    /// stop.
    pub fn new(
        rule: &str,
        level: Level,
        function: &str,
        subjects: Vec<Subject>,
        message: String,
        primary: Label,
    ) -> Finding {
        Finding {
            rule: rule.to_owned(),
            pack: None,
            level,
            message,
            function: function.to_owned(),
            subjects,
            mentions: BTreeSet::new(),
            primary,
            secondary: Vec::new(),
            further: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            fixes: Vec::new(),
            fingerprint: String::new(),
            state: None,
        }
    }

    /// Whether a user means its rule with a name: `rule`, or `pack/rule`.
    pub fn is_of_rule(&self, name: &str) -> bool {
        is_meant(name, self.pack.as_deref(), &self.rule)
    }

    /// The functions and slots that it, one of its labels or one of its notes is about.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let subjects = self.subjects.iter().map(|subject| subject.name.as_str());
        std::iter::once(self.function.as_str()).chain(self.mentions.iter().map(String::as_str)).chain(subjects)
    }
}

/// Whether a finding existed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BaselineState {
    /// It did not exist.
    New,
    /// It existed, and one of its lines changed.
    Updated,
}

/// A location, and what to say there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// The location.
    pub at: Span,
    /// The text at the location.
    pub text: String,
}

/// A remark, with a location if it has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The remark.
    pub text: String,
    /// The location that it is about.
    pub at: Option<Span>,
}

/// The location of a word. Line and column count from 1, the column in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The path of the file relative to the root; absolute if the file is elsewhere.
    #[serde(with = "lossy")]
    pub path: PathBuf,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// A fix of a finding. It is applied as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What it does, in the imperative: "mark `foo` as `MARK`".
    pub title: String,
    /// Whether it is safe to apply without review.
    pub safety: Safety,
    /// The changes in terms of the program, before any text is read.
    #[serde(skip)]
    pub actions: Vec<Action>,
    /// The changes as edits of texts; empty until the texts are read, and if the fix cannot be
    /// applied.
    pub edits: Vec<Edit>,
    /// Why it cannot be applied.
    pub obstacle: Option<String>,
}

/// One change, at the location of a name.
#[allow(missing_docs)] // each variant's comment describes its fields
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Mark a function at each of its declarations, given by the locations of its name.
    MarkFunction { name: String, mark: String, at: Vec<Span> },
    /// Mark a field, variable, parameter or typedef that is a function pointer or a function type.
    MarkPointer { name: String, mark: String, at: Vec<Span> },
    /// Remove a mark, wherever it is written.
    Unmark { mark: String, at: Vec<Span> },
    /// Call another function instead of the one that is named there.
    CallInstead { old: String, new: String, at: Span },
    /// Declare a wrapper after the prototype of its target, without the target's own marks.
    DeclareWrapper { target: String, wrapper: String, mark: String, without: Vec<String>, at: Span },
    /// Add a header to the inputs of the wrapper generator, in the build file.
    AddInput { header: PathBuf },
}

impl Action {
    /// The header that it adds to the inputs of a generator.
    pub fn added_input(&self) -> Option<&PathBuf> {
        match self {
            Action::AddInput { header } => Some(header),
            _ => None,
        }
    }
}

/// A change of a file's text: the bytes from `start` to `end` are replaced by `text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edit {
    /// The path of the file relative to the root of the tree.
    #[serde(with = "lossy")]
    pub path: PathBuf,
    /// The first byte that is removed, counted from 0 in the file as it was read.
    pub start: usize,
    /// The byte after the last one that is removed; equal to `start` if nothing is removed.
    pub end: usize,
    /// The text that is inserted; empty if nothing is inserted.
    pub text: String,
}

/// Whether a fix is safe to apply without review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// It cannot change what the program does: it only changes marks, declarations and comments.
    Safe,
    /// It can: it calls another function, or adds a condition.
    Unsafe,
}

/// Sorts findings as they are reported, and removes duplicates.
pub fn sort_findings(findings: &mut Vec<Finding>) {
    fn key(finding: &Finding) -> (&Span, &str, &Option<String>, &str, &[Subject], Level) {
        let Finding { rule, pack, function, subjects, level, primary, .. } = finding;
        (&primary.at, rule, pack, function, subjects, *level)
    }
    findings.sort_by(|one, other| key(one).cmp(&key(other)));
    findings.dedup();
}

/// Paths in outputs: bytes that are not UTF-8 become replacement characters.
pub mod lossy {
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes a path as text.
    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&path.to_string_lossy())
    }

    /// Reads a path that was written as text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        String::deserialize(deserializer).map(PathBuf::from)
    }
}
