//! The baseline of a tree: which one is used, which findings it removes from a report, and writing
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use cowrap_analysis::rules::stale_baseline;
use cowrap_base::files::{NamedBy, Place, Shown, Tree, is_below, leads_out, read_text, write_refusal};
use cowrap_base::git::Git;
use cowrap_report::{
    Baseline, BaselineEntry, BaselineError, BaselineState, Comparison, Finding, Fingerprints, Level, Report, Span,
    UNNAMED_PACK, Upgrade,
};

use crate::Error;
use crate::gate::{BASELINE, BaselineRequest, Since};
use crate::request::Request;

/// Removes the findings of the baseline from a report. The result has a finding for each stale
/// entry, with the file that the entry is about. `may_write` allows to rewrite a baseline of the previous version.
pub(crate) fn apply(
    request: &Request,
    report: &mut Report,
    compared: &mut Comparison,
    may_write: bool,
) -> Result<Vec<(PathBuf, Finding)>, Error> {
    let tree = &report.tree;
    let Some(file) = baseline_file(request, tree) else { return Ok(Vec::new()) };
    require_own(request, tree, &file)?;
    let text = read_text(&file).map_err(|source| Error::ReadBaseline { path: file.shown().to_string(), source })?;
    let mut baseline = Baseline::parse(&text, &file).map_err(|error| match leads_out(&file) {
        true => BaselineError { problem: "not a cowrap baseline".to_owned(), ..error },
        false => error,
    })?;
    let packs: Vec<&str> = report.summary.packs.iter().map(|pack| pack.name.as_str()).collect();
    let unnamed = Baseline::unnamed_pack(&packs);
    let (_, stale) = baseline.compare(&report.findings, unnamed);
    // The findings of a file that git has moved are in the new file.
    let gone: BTreeSet<PathBuf> =
        stale.iter().map(|entry| entry.path.clone()).filter(|path| !tree.root.join(path).exists()).collect();
    if !gone.is_empty()
        && let Ok(git) = Git::new(&tree.root)
    {
        // If git fails once, it is not asked again: it may take its whole time to do so.
        let found = gone.iter().map_while(|path| Some((path, git.moved(&tree.root.join(path)).ok()?)));
        let moved = found.filter_map(|(path, to)| Some((path.clone(), tree.relative(&to?).to_path_buf())));
        let moved: BTreeMap<PathBuf, PathBuf> = moved.collect();
        baseline.rename(|path| moved.get(path).cloned());
    }
    let (is_known, stale) = baseline.compare(&report.findings, unnamed);
    let shown = tree.relative(&file).to_path_buf();
    compared.baseline = Some((shown.to_string_lossy().into_owned(), is_known.iter().filter(|known| **known).count()));
    // If a part of the tree was not read, the findings of an entry may be there.
    let is_whole = report.problems.is_empty() && !report.is_partial;
    if baseline.is_previous() {
        let matched = report.findings.iter().zip(&is_known).filter(|(_, is_known)| **is_known);
        let matched: Vec<Finding> = matched.map(|(finding, _)| finding.clone()).collect();
        // The staged state and unsaved texts may differ from the disk, and a check before a commit
        // must not change files.
        let is_certain = is_whole && stale.is_empty() && baseline.is_unambiguous(&report.findings, unnamed);
        let is_disk = request.gate.since != Some(Since::Staged) && report.overlay.is_empty();
        let may_write = may_write && is_certain && is_disk;
        let is_unchanged = read_text(&file).is_ok_and(|now| now == text);
        compared.upgrade = Some(upgrade(&file, tree, &matched, may_write && is_unchanged));
    }
    let mut findings: Vec<Finding> = Vec::new();
    let mut stale: Vec<(PathBuf, Finding)> = stale
        .into_iter()
        .filter(|entry| is_whole && is_judged(entry, report))
        .map(|entry| {
            let at = Span { path: shown.clone(), line: entry.line, column: 1 };
            (entry.path.clone(), stale_baseline::finding(at, entry))
        })
        .collect();
    stale.retain_mut(|(_, finding)| {
        let setting = request.settings.level(None, &finding.rule, &finding.primary.at.path);
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

/// Whether an entry is about a pack of this run: the findings of other packs may still exist. Entries of earlier
/// releases have no pack, but a rule.
fn is_judged(entry: &BaselineEntry, report: &Report) -> bool {
    let has_pack = |name: &str| report.summary.packs.iter().any(|pack| pack.name == name);
    match &entry.pack {
        Some(pack) => has_pack(pack),
        None => has_pack(UNNAMED_PACK) || report.rules.iter().any(|rule| rule.name == entry.rule),
    }
}

/// Rewrites a baseline of the previous version with the findings that matched its entries, if it
/// may be written. It must be in the tree.
fn upgrade(file: &Path, tree: &Tree, matched: &[Finding], may_write: bool) -> Upgrade {
    let write = || Place::inside(file, &[&tree.root])?.write(Baseline::of(matched).to_text().as_bytes());
    match may_write && write().is_ok() {
        true => Upgrade::Rewritten,
        // Such as on a read-only file system: the next run matches it in the same way.
        false => Upgrade::Pending,
    }
}

/// Checks that a baseline that the tree names, or that has its usual name, is a file of the tree.
fn require_own(request: &Request, tree: &Tree, file: &Path) -> Result<(), Error> {
    if matches!(request.gate.baseline, BaselineRequest::File(_) | BaselineRequest::No) {
        return Ok(());
    }
    let mut homes = request.settings.homes.clone();
    homes.push(tree.root.clone());
    match is_below(file, &homes) {
        true => Ok(()),
        false => Err(Error::ForeignBaseline { path: file.shown().to_string() }),
    }
}

/// The file of the baseline that is used, if there is one.
fn baseline_file(request: &Request, tree: &Tree) -> Option<PathBuf> {
    let is_optional = request.gate.baseline == BaselineRequest::IfExists;
    baseline_place(request, tree).filter(|file| !is_optional || file.symlink_metadata().is_ok())
}

/// Where the baseline is or would be, if the run uses one.
pub(crate) fn baseline_place(request: &Request, tree: &Tree) -> Option<PathBuf> {
    match &request.gate.baseline {
        BaselineRequest::No => None,
        BaselineRequest::File(file) | BaselineRequest::Configured(file) => Some(request.working_directory.join(file)),
        BaselineRequest::IfExists => Some(tree.root.join(BASELINE)),
    }
}

/// Writes the baseline of a report. The result is its file and the number of its findings.
///
/// # Errors
///
/// The file cannot be written, is something else than a baseline, or is outside of the tree although
/// the tree names it.
pub fn write_baseline(report: &Report, request: &Request) -> Result<(PathBuf, usize), Error> {
    let baseline = Baseline::of(&report.findings);
    let file = write(&baseline, &report.tree, request)?;
    Ok((file, baseline.entries().len()))
}

/// Adds a finding to the baseline of a tree, and makes one if the tree has none. The result is its file.
///
/// # Errors
///
/// The file cannot be read or written, is something else than a baseline or a previous version of one, or is outside of
/// the tree although the tree names it.
pub fn add_to_baseline(finding: &Finding, tree: &Tree, request: &Request) -> Result<PathBuf, Error> {
    let (file, _) = destination(request, tree);
    let mut baseline = match file.symlink_metadata() {
        Err(_) => Baseline::default(),
        Ok(_) => {
            require_own(request, tree, &file)?;
            let failed = |source| Error::ReadBaseline { path: file.shown().to_string(), source };
            Baseline::parse(&read_text(&file).map_err(failed)?, &file)?
        }
    };
    if baseline.is_previous() {
        return Err(Error::PreviousBaseline { path: file.shown().to_string() });
    }
    baseline.add(finding);
    write(&baseline, tree, request)
}

/// The file of the baseline that is written, and who named it.
fn destination(request: &Request, tree: &Tree) -> (PathBuf, NamedBy) {
    match &request.gate.baseline {
        BaselineRequest::File(file) => (request.working_directory.join(file), NamedBy::CommandLine),
        BaselineRequest::Configured(file) => (request.working_directory.join(file), named_by_tree(request, tree)),
        _ => (tree.root.join(BASELINE), named_by_tree(request, tree)),
    }
}

fn write(baseline: &Baseline, tree: &Tree, request: &Request) -> Result<PathBuf, Error> {
    let (file, by) = destination(request, tree);
    let shown = || file.shown().to_string();
    let failed = |source: io::Error| match write_refusal(&source) {
        Some(refusal) => Error::RefuseBaseline { path: shown(), refusal: refusal.clone() },
        None => Error::WriteBaseline { path: shown(), source },
    };
    let place = Place::named(&file, &by).map_err(failed)?;
    let beginning = place.beginning(Baseline::BEGINNING.len() as u64).map_err(failed)?;
    let is_another = beginning.is_some_and(|text| !text.is_empty() && text != Baseline::BEGINNING.as_bytes());
    if is_another {
        return Err(Error::NotABaseline { path: shown() });
    }
    place.write(baseline.to_text().as_bytes()).map_err(failed)?;
    Ok(file)
}

/// The directories in which the tree may name a baseline: the tree itself, and the directory of its
/// settings.
fn named_by_tree(request: &Request, tree: &Tree) -> NamedBy {
    let settings = request.settings.file.as_deref().and_then(Path::parent);
    NamedBy::Tree([Some(tree.root.as_path()), settings].into_iter().flatten().map(Path::to_path_buf).collect())
}
