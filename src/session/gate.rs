//! What of a report is news: compared with a baseline, and with what git has.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use cowrap_analysis::rules::stale_baseline;
use cowrap_base::files::{Identities, Overlay, Tree, write_whole};
use cowrap_base::git::{Change, Git, Side};
use cowrap_report::{Baseline, BaselineState, Finding, Fingerprints, Level, Note, Span, Upgrade};

use super::again::{Again, Before};
use super::recall::Reading;
use super::{Checked, Comparison, Error, Input, Problem, Progress, Report, Request, checked, is_reported};

/// The name of the baseline that counts when none is named.
pub const BASELINE: &str = ".cowrap-baseline.json";

/// So many units that are not remembered are read to know what was found before a change; with more, that would cost as much as
/// the check itself.
const MOST_READ: usize = 200;

/// What a report is compared with, so that only news is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// The findings that are known.
    pub baseline: BaselineRequest,
    /// Whether it is an error that the baseline could be shorter.
    pub ratchet: bool,
    /// What git has.
    pub since: Option<Since>,
}

/// Which baseline counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BaselineRequest {
    /// The one at the root of the tree, if there is one.
    #[default]
    IfThere,
    /// This one.
    File(PathBuf),
    /// None.
    No,
}

/// A state of the tree that git has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// Where HEAD and this revision come from; what is on the disk is compared with it.
    Fork(String),
    /// HEAD; what is staged is compared with it.
    Staged,
}

/// The changes that a report is about.
pub(super) struct Changes {
    /// What is compared with, in words.
    words: String,
    files: Vec<Change>,
    git: Git,
    /// What is checked, where it is not what is on the disk.
    pub now: Overlay,
}

/// Asks git what changed.
pub(super) fn changes(request: &Request, tree: &Tree) -> Result<Option<Changes>, Error> {
    let Some(since) = &request.gate.since else { return Ok(None) };
    let git = Git::new(&tree.root)?;
    let mut now = Overlay::default();
    let (words, files) = match since {
        Since::Fork(revision) => {
            let fork = git.fork(&git.commit(revision)?)?;
            let files = git.changes(Side::Commit(&fork), Side::WorkTree)?;
            (format!("{revision} ({})", short(&fork)), files)
        }
        Since::Staged => {
            for Change { old, new, old_text, .. } in git.changes(Side::Index, Side::WorkTree)? {
                if let Some(new) = new.filter(|new| Some(new) != old.as_ref()) {
                    now.set(new, None);
                }
                if let Some(old) = old {
                    now.set(old, old_text);
                }
            }
            match git.head()? {
                Some(head) => (format!("HEAD ({})", short(&head)), git.changes(Side::Commit(&head), Side::Index)?),
                None => ("nothing: there is no commit yet".to_owned(), git.changes(Side::Nothing, Side::Index)?),
            }
        }
    };
    Ok(Some(Changes { words, files, git, now }))
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// Leaves in a report what is news, and adds what is wrong with the baseline.
pub(super) fn apply(
    request: &Request,
    report: &mut Report,
    changes: Option<Changes>,
    again: Option<&Again>,
    report_on: &[PathBuf],
    progress: &dyn Progress,
) -> Result<(), Error> {
    let mut compared = Comparison::default();
    let stale = baseline(request, report, &mut compared)?;
    if let Some(changes) = changes {
        since(request, report, &changes, again, &mut compared, progress)?;
    }
    if !report_on.is_empty() {
        report.findings.retain(|finding| is_reported(finding, report_on, &report.tree));
    }
    let is_wanted = |path: &Path| {
        let path = report.tree.root.join(path);
        report_on.is_empty() || report_on.iter().any(|wanted| path.starts_with(wanted))
    };
    report.findings.extend(stale.into_iter().filter(|(path, _)| is_wanted(path)).map(|(_, finding)| finding));
    let at = |level| report.findings.iter().filter(|finding| finding.level == level).count();
    (report.summary.errors, report.summary.warnings) = (at(Level::Error), at(Level::Warning));
    report.summary.notes = at(Level::Note);
    report.summary.compared = (compared != Comparison::default()).then_some(compared);
    Ok(())
}

/// Takes out what is in the baseline; the result are the entries that are not found any more, with the file that each is about.
fn baseline(
    request: &Request,
    report: &mut Report,
    compared: &mut Comparison,
) -> Result<Vec<(PathBuf, Finding)>, Error> {
    let tree = &report.tree;
    let Some(file) = baseline_file(request, tree) else { return Ok(Vec::new()) };
    let text = read_file(&file).map_err(|source| Error::ReadBaseline { path: file.display().to_string(), source })?;
    let mut known = Baseline::parse(&text, &file)?;
    let (_, stale) = known.compare(&report.findings);
    // A file that git has somewhere else now took its findings along.
    let gone: BTreeSet<PathBuf> =
        stale.iter().map(|entry| entry.path.clone()).filter(|path| !tree.root.join(path).exists()).collect();
    if !gone.is_empty()
        && let Ok(git) = Git::new(&tree.root)
    {
        let moved = |path: &PathBuf| {
            let to = git.moved(&tree.root.join(path)).ok().flatten()?;
            Some((path.clone(), tree.relative(&to).to_path_buf()))
        };
        let moved: BTreeMap<PathBuf, PathBuf> = gone.iter().filter_map(moved).collect();
        known.rename(|path| moved.get(path).cloned());
    }
    let (is_known, stale) = known.compare(&report.findings);
    let shown = tree.relative(&file).to_path_buf();
    compared.baseline = Some((shown.to_string_lossy().into_owned(), is_known.iter().filter(|known| **known).count()));
    if known.is_previous() {
        let matched = report.findings.iter().zip(&is_known).filter(|(_, is_known)| **is_known);
        let matched: Vec<Finding> = matched.map(|(finding, _)| finding.clone()).collect();
        // What is staged may be another state of the tree, and what it is checked for must not change files.
        let may_write = stale.is_empty() && request.gate.since != Some(Since::Staged);
        compared.upgrade = Some(upgrade(&file, &matched, may_write));
    }
    // Where something was not read, nobody knows what is not there any more.
    let is_whole = report.problems.is_empty() && !report.is_partial;
    let mut findings: Vec<Finding> = Vec::new();
    let mut stale: Vec<(PathBuf, Finding)> = stale
        .into_iter()
        .filter(|_| is_whole)
        .map(|entry| {
            let at = Span { path: shown.clone(), line: entry.line, column: 1 };
            (entry.path.clone(), stale_baseline::finding(at, entry))
        })
        .collect();
    stale.retain_mut(|(_, finding)| {
        let setting = request.settings.level(&finding.rule, &finding.primary.at.path);
        finding.level = match (request.gate.ratchet, setting) {
            (true, _) => Level::Error,
            (false, Some(setting)) => setting.level().unwrap_or(finding.level),
            (false, None) => finding.level,
        };
        request.gate.ratchet || setting.is_none_or(|setting| setting.level().is_some())
    });
    let mut fingerprints = Fingerprints::default();
    stale.iter_mut().for_each(|(_, finding)| finding.fingerprint = fingerprints.of(finding));
    for (finding, is_known) in std::mem::take(&mut report.findings).into_iter().zip(is_known) {
        if !is_known {
            findings.push(Finding { state: Some(BaselineState::New), ..finding });
        }
    }
    report.findings = findings;
    Ok(stale)
}

/// Writes a baseline of the previous version anew, with the findings that its entries are, if it may be written.
fn upgrade(file: &Path, matched: &[Finding], may_write: bool) -> Upgrade {
    match may_write && write_whole(file, Baseline::of(matched).to_text().as_bytes()).is_ok() {
        true => Upgrade::Rewritten,
        // Such as a file on a read-only file system: it is matched in the same way the next time.
        false => Upgrade::Pending,
    }
}

/// The baseline that counts.
fn baseline_file(request: &Request, tree: &Tree) -> Option<PathBuf> {
    match &request.gate.baseline {
        BaselineRequest::No => None,
        BaselineRequest::File(file) => Some(request.working_directory.join(file)),
        BaselineRequest::IfThere => Some(tree.root.join(BASELINE)).filter(|file| file.symlink_metadata().is_ok()),
    }
}

/// A file's text. What is no file, such as a pipe, could have no end.
fn read_file(file: &Path) -> std::io::Result<String> {
    match std::fs::metadata(file)?.is_file() {
        true => std::fs::read_to_string(file),
        false => Err(std::io::Error::other("it is no file")),
    }
}

/// Leaves what the changes brought: what was not found before, and what has a changed line in it.
fn since(
    request: &Request,
    report: &mut Report,
    changes: &Changes,
    again: Option<&Again>,
    compared: &mut Comparison,
    progress: &dyn Progress,
) -> Result<(), Error> {
    compared.since = Some(changes.words.clone());
    let is_source =
        |path: &Path| path.extension().is_some_and(|end| ["c", "h", "inc"].iter().any(|known| end == *known));
    let not_read = changes.files.iter().filter_map(|change| change.new.as_ref());
    let not_read = not_read.filter(|path| is_source(path) && !report.files.contains(*path));
    compared.not_read = not_read.map(|path| report.tree.relative(path).to_string_lossy().into_owned()).collect();
    let before = before(request, report, changes, again, progress);
    let root = report.tree.root.clone();
    let mut lines: BTreeMap<&Path, &[RangeInclusive<u32>]> = BTreeMap::new();
    for change in &changes.files {
        if let Some(new) = &change.new {
            lines.insert(new, &change.lines);
        }
    }
    // What git does not know yet is new, with all its lines.
    let mentioned = report.findings.iter().flat_map(places).map(|at| root.join(&at.path));
    let mentioned: BTreeSet<PathBuf> = mentioned.filter(|path| !lines.contains_key(path.as_path())).collect();
    let untracked = match request.gate.since {
        Some(Since::Staged) => BTreeSet::new(),
        _ => changes.git.untracked(&mentioned)?,
    };
    let is_touched = |finding: &Finding| {
        places(finding).any(|at| {
            let path = root.join(&at.path);
            let changed = lines.get(path.as_path()).copied().unwrap_or_default();
            untracked.contains(&path) || changed.iter().any(|lines| lines.contains(&at.line))
        })
    };
    let (known, by_lines) = match before {
        Ok(known) => (Some(known), None),
        Err(reason) => (None, Some(reason)),
    };
    let all = report.findings.len();
    report.findings.retain_mut(|finding| {
        let was_there = known.as_ref().map(|known| known.contains(&finding.fingerprint));
        finding.state = match (was_there, is_touched(finding)) {
            (Some(true), true) => Some(BaselineState::Updated),
            (Some(false), _) | (None, true) => Some(BaselineState::New),
            (Some(true) | None, false) => None,
        };
        if finding.state == Some(BaselineState::Updated) {
            let text = "this was there before, and one of its lines has changed".to_owned();
            finding.notes.push(Note { text, at: None });
        }
        finding.state.is_some()
    });
    compared.known = all - report.findings.len();
    compared.by_lines = by_lines;
    Ok(())
}

/// The places that a finding is about.
fn places(finding: &Finding) -> impl Iterator<Item = &Span> {
    let labels = finding.secondary.iter().map(|label| &label.at);
    let notes = finding.notes.iter().filter_map(|note| note.at.as_ref());
    std::iter::once(&finding.primary.at).chain(labels).chain(notes)
}

/// The fingerprints of what was found before the changes, as they are with the files where they are now; or why that is not
/// known, in words.
fn before(
    request: &Request,
    now: &Report,
    changes: &Changes,
    again: Option<&Again>,
    progress: &dyn Progress,
) -> Result<HashSet<String>, String> {
    if changes.files.is_empty() {
        return Ok(now.findings.iter().map(|finding| finding.fingerprint.clone()).collect());
    }
    if matches!(request.input, Input::Index(_)) {
        return Err("an index does not hold what was there before".to_owned());
    }
    let mut overlay = changes.now.clone();
    let mut renamed: BTreeMap<&Path, &Path> = BTreeMap::new();
    for Change { old, new, .. } in &changes.files {
        if let Some(new) = new.as_ref().filter(|new| Some(*new) != old.as_ref()) {
            overlay.set(new.clone(), None);
        }
        if let (Some(old), Some(new)) = (old, new) {
            renamed.insert(old, new);
        }
    }
    // Behind the others: what was moved away may be where something else is now.
    for Change { old, old_text, .. } in &changes.files {
        if let Some(old) = old {
            if old_text.is_none() {
                return Err(format!("{} was no file", old.display()));
            }
            overlay.set(old.clone(), old_text.clone());
        }
    }
    let moved = renamed.iter().map(|(old, new)| (new.to_path_buf(), old.to_path_buf()));
    let moved = moved.filter(|(new, old)| new != old).collect();
    let state = Reading { overlay: &overlay, moved: &moved, most: Some(MOST_READ) };
    let found = match again.and_then(|again| again.before(&overlay)) {
        Some(found) => found,
        None => match checked(request, state, progress) {
            Ok(Checked { report, .. }) => Before { findings: report.findings, problems: report.problems },
            Err(Error::TooMuch { units }) => {
                return Err(format!(
                    "{units} units would have to be read again as they were; when a check of that state is remembered, \
                     they are not"
                ));
            }
            Err(error) => return Err(error.to_string()),
        },
    };
    // Of what cannot be read now either, nothing is told in any case.
    let is_new = |problem: &&Problem| !now.problems.iter().any(|known| known.file == problem.file);
    if let Some(problem) = found.problems.iter().find(is_new) {
        let file = problem.file.display();
        return Err(format!("{file} could not be read as it was: {}", problem.message));
    }
    let mut findings = found.findings;
    let identities = Identities::default();
    for finding in &mut findings {
        let path = identities.identify(&now.tree.root, &finding.primary.at.path);
        if let Some(new) = renamed.get(path.as_path()) {
            finding.primary.at.path = now.tree.relative(new).to_path_buf();
        }
    }
    Fingerprints::give(&mut findings);
    Ok(findings.into_iter().map(|finding| finding.fingerprint).collect())
}

/// Writes the baseline of a report, and tells where and of how many findings.
pub fn write_baseline(report: &Report, request: &Request) -> Result<(PathBuf, usize), Error> {
    let file = match &request.gate.baseline {
        BaselineRequest::File(file) => request.working_directory.join(file),
        _ => report.tree.root.join(BASELINE),
    };
    // The tree's own settings name the file, and a tree may come from anywhere.
    let is_another = file.symlink_metadata().is_ok()
        && !read_file(&file).is_ok_and(|text| text.is_empty() || text.starts_with(Baseline::BEGINNING));
    if is_another {
        return Err(Error::PreciousBaseline { path: file.display().to_string() });
    }
    let baseline = Baseline::of(&report.findings);
    write_whole(&file, baseline.to_text().as_bytes())
        .map_err(|source| Error::WriteBaseline { path: file.display().to_string(), source })?;
    Ok((file, baseline.entries().len()))
}
