//! The end of fixing: writes the files, and divides the changes into steps for a series of patches.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cowrap_base::git::{GitError, dirty};
use cowrap_fix::{Change, GroupId, RefusedChange, WriteOutcome, remove_leftovers, write_all};

use crate::warning::Warning;

use super::outcome::{CheckResult, FixKey, fix_key};
use super::rounds::{FixSession, PlannedFix};
use super::{Applied, FixError, Fixed, NotApplied, Step};
use cowrap_base::files::Shown;

/// Why a fix was not applied, if no other reason is known.
const NO_ROUND_LEFT: &str = "the limit of --max-rounds was reached";

impl FixSession<'_> {
    /// Writes the changed files if the request wants it, and summarises what was done.
    pub(super) fn finish(mut self, current: CheckResult, before: [usize; 3], rounds: usize) -> Result<Fixed, FixError> {
        let root = &self.session.tree.root;
        let changed = self.texts.changed().filter(|(path, _)| {
            // The next build generates its files again. They were changed in memory only, to check
            // the fixes.
            path.is_relative() && !self.session.tree.is_built(&root.join(path))
        });
        let changes = changed.filter_map(|(path, new)| {
            let old = self.texts.original(path).ok()?.to_vec();
            (old != **new).then(|| Change { path: path.to_path_buf(), old, new: new.to_vec() })
        });
        let changes: Vec<Change> = changes.collect();
        if self.request.write {
            self.write(&changes)?;
            let read = self.files.keys().filter_map(|file| file.strip_prefix(root).ok()?.parent());
            remove_leftovers(root, &read.collect());
        }
        let steps = self.steps();
        let applied = std::mem::take(&mut self.done).into_iter().flat_map(|round| round.fixes);
        let mut applied: Vec<Applied> = applied.map(|(_, planned)| planned.applied()).collect();
        applied.sort_by(|one, other| one.finding.primary.at.cmp(&other.finding.primary.at));
        let wanted = current.report.findings.iter().filter(|finding| self.is_wanted(finding));
        let remaining =
            wanted.flat_map(|finding| finding.fixes.iter().map(|fix| (fix_key(finding, fix), fix.title.clone())));
        let not_applied: BTreeMap<FixKey, NotApplied> = remaining
            .map(|(key, title)| {
                let reason = self.rejected.get(&key).cloned().unwrap_or_else(|| NO_ROUND_LEFT.to_owned());
                let (at, rule) = (key.0.clone(), key.1.clone());
                (key, NotApplied { at, rule, title, reason })
            })
            .collect();
        let not_applied = not_applied.into_values().collect();
        Ok(Fixed { applied, not_applied, changes, steps, rounds, before, report: current.report })
    }

    fn write(&self, changes: &[Change]) -> Result<(), FixError> {
        let root = &self.session.tree.root;
        let paths: Vec<PathBuf> = changes.iter().map(|change| change.path.clone()).collect();
        if !self.request.allow_dirty && !paths.is_empty() {
            match dirty(root, &paths) {
                Ok(dirty) if dirty.is_empty() => {}
                Ok(dirty) => {
                    let names: Vec<String> = dirty.iter().map(|path| path.shown().to_string()).collect();
                    return Err(FixError::Dirty(names.join(", ")));
                }
                // Outside of git, there is nothing to compare with.
                Err(GitError::NotARepository { .. }) => {}
                Err(error) => return Err(FixError::Git(error)),
            }
        }
        let WriteOutcome { written, refused, separated, unsynced, .. } = write_all(root, changes);
        let warn = self.request.check.warn;
        separated.into_iter().for_each(|path| warn(&Warning::Separated(path)));
        unsynced.into_iter().for_each(|directory| warn(&Warning::Unsynced(directory)));
        if refused.is_empty() {
            return Ok(());
        }
        let reasons: Vec<String> = refused.iter().map(RefusedChange::to_string).collect();
        let reasons = reasons.join("\n  ");
        match written.len() {
            0 => Err(FixError::NotWritten(reasons)),
            written => Err(FixError::HalfWritten { written, all: changes.len(), reasons }),
        }
    }

    /// The changes, by rule and directory. All edits of a fix are in the step of its finding. An
    /// edit that several fixes share is in the first of their steps.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for round in &self.done {
            let mut by_key: BTreeMap<(String, PathBuf), Vec<&(GroupId, PlannedFix)>> = BTreeMap::new();
            for entry in &round.fixes {
                let finding = &entry.1.finding;
                let key = (finding.rule.clone(), top(&finding.primary.at.path));
                by_key.entry(key).or_default().push(entry);
            }
            // The edits without those of a step make the texts before the step.
            let mut without = round.set.clone();
            let mut sets = vec![without.clone()];
            for fixes in by_key.values().rev() {
                without = without.without(&fixes.iter().map(|(id, _)| *id).collect());
                sets.push(without.clone());
            }
            for ((rule, top), fixes) in by_key {
                let from = sets.pop().unwrap_or_default();
                let to = sets.last().cloned().unwrap_or_default();
                let changes = round.before.iter().filter_map(|(path, text)| {
                    let (old, new) = (from.apply(path, text).ok()?, to.apply(path, text).ok()?);
                    (old != new).then(|| Change { path: path.clone(), old, new })
                });
                let changes: Vec<Change> = changes.collect();
                let applied = fixes.iter().map(|(_, planned)| planned.applied()).collect();
                if !changes.is_empty() {
                    steps.push(Step { rule, top, applied, changes });
                }
            }
        }
        steps
    }
}

/// The first component of a path.
fn top(path: &Path) -> PathBuf {
    path.components().next().map(|first| PathBuf::from(first.as_os_str())).unwrap_or_default()
}
