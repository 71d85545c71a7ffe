//! What differs between a report and those before it, for whoever watches a tree.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use crate::{Finding, Level, Problem};

/// What was reported so far.
#[derive(Debug, Default)]
pub struct Reported {
    findings: Vec<Finding>,
    problems: Vec<Problem>,
    /// The files with problems in the last report from which it was known which findings are gone; `None` before the
    /// first report.
    settled: Option<BTreeSet<PathBuf>>,
}

/// What a report has that those before had not, and the reverse.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The findings that appeared.
    pub appeared: Vec<Finding>,
    /// The findings that are gone.
    pub gone: Vec<Finding>,
    /// The problems that appeared.
    pub new_problems: Vec<Problem>,
    /// The problems that are gone.
    pub solved_problems: Vec<Problem>,
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }
}

impl Reported {
    /// Takes the findings and problems of a report, and says what differs.
    ///
    /// While a unit cannot be read that could be read before, its findings are not gone: somebody is in the middle of an
    /// edit.
    pub fn update(&mut self, findings: &[Finding], problems: &[Problem]) -> Changes {
        let before: HashSet<_> = self.findings.iter().map(identity).collect();
        let now: HashSet<_> = findings.iter().map(identity).collect();
        let appeared = findings.iter().filter(|finding| !before.contains(&identity(finding))).cloned().collect();
        let missing = self.findings.iter().filter(|finding| !now.contains(&identity(finding))).cloned();
        let missing: Vec<Finding> = missing.collect();
        let minus = |some: &[Problem], others: &[Problem]| {
            some.iter().filter(|problem| !others.contains(problem)).cloned().collect()
        };
        let new_problems = minus(problems, &self.problems);
        let solved_problems = minus(&self.problems, problems);
        self.problems = problems.to_vec();
        self.findings = findings.to_vec();
        let failed: BTreeSet<PathBuf> = problems.iter().map(|problem| problem.file.clone()).collect();
        let gone = match self.settled.as_ref().is_none_or(|before| failed.is_subset(before)) {
            true => {
                self.settled = Some(failed);
                missing
            }
            false => {
                self.findings.extend(missing);
                Vec::new()
            }
        };
        Changes { appeared, gone, new_problems, solved_problems }
    }
}

/// What makes a finding the same in two reports. One with another level is shown again.
fn identity(finding: &Finding) -> (&str, Level) {
    (&finding.fingerprint, finding.level)
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;
    use crate::{Label, ProblemKind, Span};

    fn finding(fingerprint: &str, level: Level) -> Finding {
        let at = Span { path: PathBuf::from("a.c"), line: 1, column: 1 };
        let primary = Label { at, text: String::new() };
        let finding = Finding::new("rule", level, "f", Vec::new(), "message".to_owned(), primary);
        Finding { fingerprint: fingerprint.to_owned(), ..finding }
    }

    fn problem(file: &str, message: &str) -> Problem {
        let (file, message) = (PathBuf::from(file), message.to_owned());
        Problem { file, kind: ProblemKind::Parse, message, at: None, help: None }
    }

    #[test]
    fn findings_are_the_same_by_fingerprint_and_level() {
        let (one, two) = (finding("1", Level::Error), finding("2", Level::Error));
        let mut reported = Reported::default();
        assert_eq!(reported.update(slice::from_ref(&one), &[]).appeared, slice::from_ref(&one));
        let moved = Finding { message: "another".to_owned(), ..one.clone() };
        assert!(reported.update(slice::from_ref(&moved), &[]).is_empty());
        let changes = reported.update(slice::from_ref(&two), &[]);
        assert_eq!((changes.appeared, changes.gone), (vec![two], vec![moved]));
        let weaker = finding("2", Level::Note);
        let changes = reported.update(slice::from_ref(&weaker), &[]);
        assert_eq!((changes.appeared, changes.gone.len()), (vec![weaker], 1));
    }

    #[test]
    fn findings_are_not_gone_while_a_unit_cannot_be_read() {
        let (one, two) = (finding("1", Level::Error), finding("2", Level::Error));
        let mut reported = Reported::default();
        let old = problem("old.c", "missing header");
        reported.update(slice::from_ref(&one), slice::from_ref(&old));
        // Another unit fails. What it said is not gone, and what appears elsewhere appears.
        let both = [old.clone(), problem("new.c", "expected `;`")];
        let changes = reported.update(slice::from_ref(&two), &both);
        assert_eq!((changes.appeared, changes.gone), (vec![two.clone()], Vec::new()));
        assert_eq!(changes.new_problems, both[1..]);
        // It fails in another way.
        let others = [old.clone(), problem("new.c", "expected `)`")];
        let changes = reported.update(slice::from_ref(&two), &others);
        assert_eq!(
            (changes.gone, changes.new_problems, changes.solved_problems.len()),
            (vec![], others[1..].to_vec(), 1)
        );
        // Now it is known what is gone.
        let changes = reported.update(slice::from_ref(&two), slice::from_ref(&old));
        assert_eq!((changes.appeared, changes.gone), (vec![], vec![one]));
        assert_eq!(changes.solved_problems, others[1..]);
        // What never could be read does not matter.
        assert_eq!(reported.update(&[], &[old]).gone, [two]);
    }
}
