//! The baseline of a tree: which one is used, which findings it removes from a report, and writing
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cowrap_analysis::rules::stale_baseline;
use cowrap_base::files::{Tree, read_text, write_whole};
use cowrap_base::git::Git;
use cowrap_report::{
    Baseline, BaselineEntry, BaselineState, Comparison, Finding, Fingerprints, Level, Report, Span, UNNAMED_PACK,
    Upgrade,
};

use crate::Error;
use crate::gate::{BASELINE, BaselineRequest, Since};
use crate::request::Request;

/// Removes the findings of the baseline from a report. The result has a finding for each stale
/// entry, with the file that the entry is about.
pub(crate) fn apply(
    request: &Request,
    report: &mut Report,
    compared: &mut Comparison,
) -> Result<Vec<(PathBuf, Finding)>, Error> {
    let tree = &report.tree;
    let Some(file) = baseline_file(request, tree) else { return Ok(Vec::new()) };
    let text = read_text(&file).map_err(|source| Error::ReadBaseline { path: file.display().to_string(), source })?;
    let mut baseline = Baseline::parse(&text, &file)?;
    let packs: Vec<&str> = report.summary.packs.iter().map(|pack| pack.name.as_str()).collect();
    let unnamed = Baseline::unnamed_pack(&packs);
    let (_, stale) = baseline.compare(&report.findings, unnamed);
    // The findings of a file that git has moved are in the new file.
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
        // The staged state may differ from the disk, and a check before a commit must not change
        // files.
        let is_certain = is_whole && stale.is_empty() && baseline.is_unambiguous(&report.findings, unnamed);
        let may_write = is_certain && request.gate.since != Some(Since::Staged) && is_in_tree(&file, tree);
        let is_unchanged = read_text(&file).is_ok_and(|now| now == text);
        compared.upgrade = Some(upgrade(&file, &matched, may_write && is_unchanged));
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

/// Whether a file is below the root of the tree. The settings of a tree name its baseline, and a tree may come from an
/// attacker.
fn is_in_tree(file: &Path, tree: &Tree) -> bool {
    let root = tree.root.canonicalize();
    file.canonicalize().is_ok_and(|file| root.is_ok_and(|root| file.starts_with(root)))
}

/// Rewrites a baseline of the previous version with the findings that matched its entries, if it
/// may be written.
fn upgrade(file: &Path, matched: &[Finding], may_write: bool) -> Upgrade {
    match may_write && write_whole(file, Baseline::of(matched).to_text().as_bytes()).is_ok() {
        true => Upgrade::Rewritten,
        // Such as on a read-only file system: the next run matches it in the same way.
        false => Upgrade::Pending,
    }
}

/// The file of the baseline that is used, if there is one.
fn baseline_file(request: &Request, tree: &Tree) -> Option<PathBuf> {
    match &request.gate.baseline {
        BaselineRequest::No => None,
        BaselineRequest::File(file) => Some(request.working_directory.join(file)),
        BaselineRequest::IfExists => Some(tree.root.join(BASELINE)).filter(|file| file.symlink_metadata().is_ok()),
    }
}

/// Writes the baseline of a report. The result is its file and the number of its findings.
///
/// # Errors
///
/// The file cannot be written, or is something else than a baseline.
pub fn write_baseline(report: &Report, request: &Request) -> Result<(PathBuf, usize), Error> {
    let file = match &request.gate.baseline {
        BaselineRequest::File(file) => request.working_directory.join(file),
        _ => report.tree.root.join(BASELINE),
    };
    // The settings of the tree may name the file, and the tree may come from an attacker.
    let is_another = file.symlink_metadata().is_ok()
        && !read_text(&file).is_ok_and(|text| text.is_empty() || text.starts_with(Baseline::BEGINNING));
    if is_another {
        return Err(Error::NotABaseline { path: file.display().to_string() });
    }
    let baseline = Baseline::of(&report.findings);
    write_whole(&file, baseline.to_text().as_bytes())
        .map_err(|source| Error::WriteBaseline { path: file.display().to_string(), source })?;
    Ok((file, baseline.entries().len()))
}
