//! Which findings of a report are new: compared with a baseline, and with the findings before a
//! change.
//!
//! The findings before a change are not guessed from changed lines: the snapshot before the change
//! is checked. If that cannot be done, changed lines decide, and the report says so.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use cowrap_base::files::{Identities, Shown};
use cowrap_report::{BaselineState, Comparison, Finding, Fingerprints, Level, Note, Problem, Report, Span};

use crate::changes::Changes;
use crate::check::{Checker, is_reported};
use crate::gate::Since;
use crate::request::{Input, Request};
use crate::{Error, baseline};

/// The most units that are parsed to check the snapshot before a change. Parsing more would cost as
/// much as the check itself.
const MOST_PARSED: usize = 200;

/// Removes the findings that are not new from a report, and adds stale entries of the baseline.
pub(crate) fn apply(
    checker: &mut Checker<'_>,
    report: &mut Report,
    changes: Option<Changes>,
    report_on: &[PathBuf],
) -> Result<(), Error> {
    let request = checker.request;
    let keep_new = |report: &mut Report, compared: &mut Comparison| match &changes {
        Some(changes) => keep_new(checker, report, changes, compared),
        None => Ok(()),
    };
    apply_with(request, report, report_on, true, keep_new)
}

/// The same without a state to compare with: the baseline alone decides, and is not rewritten.
pub(crate) fn apply_baseline(request: &Request, report: &mut Report, report_on: &[PathBuf]) -> Result<(), Error> {
    apply_with(request, report, report_on, false, |_, _| Ok(()))
}

fn apply_with(
    request: &Request,
    report: &mut Report,
    report_on: &[PathBuf],
    may_write: bool,
    keep_new: impl FnOnce(&mut Report, &mut Comparison) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut compared = Comparison::default();
    let stale = baseline::apply(request, report, &mut compared, may_write)?;
    keep_new(report, &mut compared)?;
    if !report_on.is_empty() {
        report.findings.retain(|finding| is_reported(finding, report_on, &report.tree));
    }
    let is_selected = |path: &Path| {
        let path = report.tree.root.join(path);
        report_on.is_empty() || report_on.iter().any(|directory| path.starts_with(directory))
    };
    report.findings.extend(stale.into_iter().filter(|(path, _)| is_selected(path)).map(|(_, finding)| finding));
    let at = |level| report.findings.iter().filter(|finding| finding.level == level).count();
    (report.summary.errors, report.summary.warnings) = (at(Level::Error), at(Level::Warning));
    report.summary.notes = at(Level::Note);
    report.summary.compared = (compared != Comparison::default()).then_some(compared);
    Ok(())
}

/// Removes the findings that the changes did not bring. Those that were not there before remain,
/// and those with a changed line.
fn keep_new(
    checker: &mut Checker<'_>,
    report: &mut Report,
    changes: &Changes,
    compared: &mut Comparison,
) -> Result<(), Error> {
    compared.since = Some(changes.base.clone());
    let is_source =
        |path: &Path| path.extension().is_some_and(|end| ["c", "h", "inc"].iter().any(|known| end == *known));
    let not_read = changes.files.iter().filter_map(|change| change.new.as_ref());
    let not_read = not_read.filter(|path| is_source(path) && !report.files.contains(*path));
    compared.not_read = not_read.map(|path| report.tree.relative(path).to_string_lossy().into_owned()).collect();
    let before = fingerprints_before(checker, report, changes);
    let root = report.tree.root.clone();
    let mut lines: BTreeMap<&Path, &[RangeInclusive<u32>]> = BTreeMap::new();
    for change in &changes.files {
        if let Some(new) = &change.new {
            lines.insert(new, &change.lines);
        }
    }
    // All lines of a file that git does not track are new.
    let mentioned = report.findings.iter().flat_map(locations).map(|at| root.join(&at.path));
    let mentioned: BTreeSet<PathBuf> = mentioned.filter(|path| !lines.contains_key(path.as_path())).collect();
    let untracked = match checker.request.gate.since {
        Some(Since::Staged) => BTreeSet::new(),
        _ => changes.git.untracked(&mentioned)?,
    };
    let is_touched = |finding: &Finding| {
        locations(finding).any(|at| {
            let path = root.join(&at.path);
            let changed = lines.get(path.as_path()).copied().unwrap_or_default();
            untracked.contains(&path) || changed.iter().any(|lines| lines.contains(&at.line))
        })
    };
    let (before, by_lines) = match before {
        Ok(before) => (Some(before), None),
        Err(reason) => (None, Some(reason)),
    };
    let all = report.findings.len();
    report.findings.retain_mut(|finding| {
        let was_there = before.as_ref().map(|before| before.contains(&finding.fingerprint));
        finding.state = match (was_there, is_touched(finding)) {
            (Some(true), true) => Some(BaselineState::Updated),
            (Some(false), _) | (None, true) => Some(BaselineState::New),
            (Some(true) | None, false) => None,
        };
        if finding.state == Some(BaselineState::Updated) {
            let text = "reported before this change, which touches one of its lines".to_owned();
            finding.notes.push(Note { text, at: None });
        }
        finding.state.is_some()
    });
    compared.known = all - report.findings.len();
    compared.by_lines = by_lines;
    Ok(())
}

/// The locations of a finding, its labels and its notes.
fn locations(finding: &Finding) -> impl Iterator<Item = &Span> {
    let labels = finding.secondary.iter().map(|label| &label.at);
    let notes = finding.notes.iter().filter_map(|note| note.at.as_ref());
    std::iter::once(&finding.primary.at).chain(labels).chain(notes)
}

/// The fingerprints of the findings before the changes, with the current paths of moved files; or
/// why they are not known, for the report.
fn fingerprints_before(checker: &mut Checker<'_>, now: &Report, changes: &Changes) -> Result<HashSet<String>, String> {
    if changes.files.is_empty() {
        return Ok(now.findings.iter().map(|finding| finding.fingerprint.clone()).collect());
    }
    if matches!(checker.request.input, Input::Index(_)) {
        return Err("an index does not contain the tree before the change".to_owned());
    }
    let snapshot = changes.snapshot.before(&changes.files);
    let snapshot = snapshot.map_err(|path| format!("{} was not a regular file", path.shown()))?;
    let before = match checker.findings(&snapshot, MOST_PARSED) {
        Ok(before) => before,
        Err(Error::TooManyUnits { units }) => {
            return Err(format!(
                "{units} translation units would have to be parsed in their old state; check that state once to fill \
                 the cache"
            ));
        }
        Err(error) => return Err(error.to_string()),
    };
    // A unit that cannot be read now either has no findings in the report.
    let is_new = |problem: &&Problem| !now.problems.iter().any(|known| known.file == problem.file);
    if let Some(problem) = before.problems.iter().find(is_new) {
        let file = problem.file.shown();
        return Err(format!("the old state of {file} cannot be read: {}", problem.message));
    }
    let mut findings = before.findings;
    let identities = Identities::default();
    let moved = changes.files.iter().filter_map(|change| Some((change.old.as_deref()?, change.new.as_deref()?)));
    let moved: BTreeMap<&Path, &Path> = moved.collect();
    for finding in &mut findings {
        let path = identities.identify(&now.tree.root, &finding.primary.at.path);
        if let Some(new) = moved.get(path.as_path()) {
            finding.primary.at.path = now.tree.relative(new).to_path_buf();
        }
    }
    Fingerprints::give(&mut findings);
    Ok(findings.into_iter().map(|finding| finding.fingerprint).collect())
}
