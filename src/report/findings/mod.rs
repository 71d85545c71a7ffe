//! Findings: what is reported. The second waist: plain data, and the program ends here.
//! Also what is known of them from before: fingerprints and baselines.
//!
//! It must never know how a finding was found or how it will be shown.

mod baseline;

use std::collections::HashMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use baseline::{Baseline, BaselineEntry, BaselineError};

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
    /// A finding of which no more is known than what it says, and where. `message` is in lower case and without a full stop.
    pub fn new(rule: &str, level: Level, function: &str, message: String, primary: Label) -> Finding {
        Finding {
            rule: rule.to_owned(),
            level,
            message,
            function: function.to_owned(),
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
    fn key(finding: &Finding) -> (&Span, &str, &str) {
        (&finding.primary.at, &finding.rule, &finding.message)
    }
    findings.sort_by(|one, other| key(one).cmp(&key(other)));
    findings.dedup();
}

/// Names for findings that last while the sources change: with them, programs that keep findings tell which are new.
///
/// A fingerprint is made of the rule, the path, the function and the message, in which numbers that stand alone do not count.
/// Lines and columns, the level, labels, notes and help are left out. So a finding keeps its fingerprint when its code
/// moves up or down in the file, and gets another one when the file or the function is renamed. Findings that are equal in
/// all this are told apart by their order in the report: the fingerprints of one report are unique.
#[derive(Debug, Default)]
pub struct Fingerprints {
    seen: HashMap<String, u32>,
}

impl Fingerprints {
    /// The fingerprint of the report's next finding: 32 hexadecimal digits.
    pub fn of(&mut self, finding: &Finding) -> String {
        let path = finding.primary.at.path.to_string_lossy();
        self.of_words(&[&finding.rule, &path, &finding.function], &finding.message)
    }

    /// Gives each finding its own. They have to be all findings of a report, in their order.
    pub fn give(findings: &mut [Finding]) {
        let mut fingerprints = Fingerprints::default();
        findings.iter_mut().for_each(|finding| finding.fingerprint = fingerprints.of(finding));
    }

    /// The same for something that is no finding, but is reported among them.
    pub fn of_words(&mut self, names: &[&str], message: &str) -> String {
        // No word holds the byte that ends it: names and messages come out of C, and paths out of the system.
        let names = names.iter().map(|name| (*name).to_owned());
        let text: String = names.chain([without_numbers(message)]).map(|word| word + "\0").collect();
        let times = self.seen.entry(text.clone()).or_default();
        *times += 1;
        let hash = Sha256::digest(format!("{text}{times}"));
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A text with `#` for each number that is not a part of a name.
fn without_numbers(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match is_word(first) {
            true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, behind) = rest.split_at(length);
        out.push_str(if word.bytes().all(|byte| byte.is_ascii_digit()) { "#" } else { word });
        rest = behind;
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &str, function: &str, message: &str, path: &str, line: u32) -> Finding {
        let at = Span { path: PathBuf::from(path), line, column: 5 };
        Finding::new(rule, Level::Error, function, message.to_owned(), Label { at, text: "called here".to_owned() })
    }

    #[test]
    fn a_fingerprint_survives_moved_lines() {
        let of = |finding: &Finding| Fingerprints::default().of(finding);
        let known = finding("a-rule", "f", "calls `g2` in 3 places", "a.c", 7);
        let mut moved = finding("a-rule", "f", "calls `g2` in 14 places", "a.c", 70);
        moved.level = Level::Warning;
        moved.help.push("do not".to_owned());
        assert_eq!(of(&known), of(&moved));
        for other in [
            finding("b-rule", "f", "calls `g2` in 3 places", "a.c", 7),
            finding("a-rule", "g", "calls `g2` in 3 places", "a.c", 7),
            finding("a-rule", "f", "calls `g3` in 3 places", "a.c", 7),
            finding("a-rule", "f", "calls `g2` in 3 places", "b.c", 7),
            finding("a-rule", "f", "calls `g2` in 3 places", "a-1.c", 7),
        ] {
            assert_ne!(of(&known), of(&other), "{other:?}");
        }
        let numbered = |path| of(&finding("a-rule", "f", "calls `g`", path, 7));
        assert_ne!(numbered("a-1.c"), numbered("a-2.c"), "numbers in names are names");
        // What was written into somebody's baseline must not change with a release.
        assert_eq!(of(&known), "273179ce7d2fd9000caa1ecd33a41d99");
    }

    #[test]
    fn equal_findings_of_a_report_have_fingerprints_of_their_own() {
        let twice = finding("a-rule", "f", "calls `g`", "a.c", 7);
        let mut fingerprints = Fingerprints::default();
        let all: Vec<String> = (0..3).map(|_| fingerprints.of(&twice)).collect();
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");
        assert_eq!(all[0], Fingerprints::default().of(&twice));
    }

    #[test]
    fn numbers_are_not_names() {
        assert_eq!(without_numbers("line 12: `pread64` and `x_1`, 7"), "line #: `pread64` and `x_1`, #");
        assert_eq!(without_numbers("a\u{e9}1 \u{1f600}2"), "a\u{e9}1 \u{1f600}#");
    }
}
