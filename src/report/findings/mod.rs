//! Findings: what is reported. The second waist: plain data, and the program ends here.
//! Also what is known of them from before: fingerprints and baselines.
//!
//! It must never know how a finding was found or how it will be shown.

mod baseline;
mod fingerprint;
mod subject;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use baseline::{Baseline, BaselineEntry, BaselineError};
pub use fingerprint::Fingerprints;
pub use subject::{Role, Subject};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It breaks the rule; the exit status is 1.
    Error,
    /// It is probably wrong, or depends on something that cannot be seen.
    Warning,
    /// It is possible, and little speaks for it.
    Note,
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
    /// What else identifies it, by name: the fingerprint is made of these, the rule, the path and the function.
    pub subjects: Vec<Subject>,
    /// The functions and slots that its labels and notes are about, by name.
    #[serde(skip)]
    pub mentions: BTreeSet<String>,
    /// Where it is.
    pub primary: Label,
    /// Other places that matter: the mark that makes it true, further calls.
    pub secondary: Vec<Label>,
    /// The places, among those, that break the rule just as the first one does.
    #[serde(skip)]
    pub further: Vec<Span>,
    /// What else there is to know.
    pub notes: Vec<Note>,
    /// What to do about it.
    pub help: Vec<String>,
    /// How it can be done without a person writing it.
    pub fixes: Vec<Fix>,
    /// What it is known by in other reports ([`Fingerprints`]); empty until it is given one.
    pub fingerprint: String,
    /// What is known of it from before, when the report is compared with something.
    pub state: Option<BaselineState>,
}

impl Finding {
    /// A finding without labels, notes and help. `message` is in lower case and without a full stop.
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

    /// Whether it is about a function or a slot of this name, or one of its labels or notes is.
    pub fn concerns(&self, name: &str) -> bool {
        let is_subject = || self.subjects.iter().any(|subject| subject.name == name);
        self.function == name || self.mentions.contains(name) || is_subject()
    }
}

/// What is known of a finding from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BaselineState {
    /// It was not there.
    New,
    /// It was there, and something changed in one of its lines.
    Updated,
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

/// What takes a finding away. All of it is done, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What it does, as an order: "mark `foo` as `coroutine_fn`".
    pub title: String,
    /// Whether it may be done without a person looking at it.
    pub safety: Safety,
    /// What is to be written, in words of the program; the texts are not looked at yet.
    #[serde(skip)]
    pub actions: Vec<Action>,
    /// What is to be written, in the texts as they were read; empty until they are looked at, and when it cannot be written.
    pub edits: Vec<Edit>,
    /// Why it cannot be written.
    pub obstacle: Option<String>,
}

/// One thing to write, where a name is.
#[allow(missing_docs)] // each variant's comment tells of its fields
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// A mark on a function, at each of its declarations, by the places of its name.
    MarkFunction { name: String, mark: String, at: Vec<Span> },
    /// A mark on a field, variable, parameter or typedef that is a pointer to a function, or a function's type.
    MarkPointer { name: String, mark: String, at: Vec<Span> },
    /// A mark is taken away, at each of the places where it is written.
    Unmark { mark: String, at: Vec<Span> },
    /// Another function is called, in place of the one whose name is there.
    CallInstead { old: String, new: String, at: Span },
    /// A wrapper is declared behind the prototype of its target, without the target's own marks.
    DeclareWrapper { target: String, wrapper: String, mark: String, without: Vec<String>, at: Span },
    /// A header is given to the generator of wrappers, in the build's own file.
    AddInput { header: PathBuf },
}

impl Action {
    /// The header that it gives to a generator.
    pub fn added_input(&self) -> Option<&PathBuf> {
        match self {
            Action::AddInput { header } => Some(header),
            _ => None,
        }
    }
}

/// A change of one file's text: the bytes from `start` to `end` give way to `text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edit {
    /// The file's path relative to the tree's root.
    #[serde(with = "lossy")]
    pub path: PathBuf,
    /// The first byte that goes away, counted from 0 in the file as it was read.
    pub start: usize,
    /// The byte behind the last one that goes away; equal to `start` when the text is only inserted.
    pub end: usize,
    /// What comes in their place; empty when they are only removed.
    pub text: String,
}

/// Whether an edit may be made without a person looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// It cannot change what the program does: marks, declarations and comments alone.
    Safe,
    /// It can: another function is called, or a condition added.
    Unsafe,
}

/// Puts findings into the order in which they are reported, and drops equal ones.
pub fn sort_findings(findings: &mut Vec<Finding>) {
    fn key(finding: &Finding) -> (&Span, &str, &str, &[Subject], Level) {
        (&finding.primary.at, &finding.rule, &finding.function, &finding.subjects, finding.level)
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
