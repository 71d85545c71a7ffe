//! What was fixed: written to the disk, and in steps for a series of patches.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cowrap_base::git::{GitError, dirty};
use cowrap_fix::{Change, GroupId, RefusedChange, WriteOutcome, write_all};

use super::outcome::{Offer, State, offer};
use super::rounds::{FixSession, Group};
use super::{Applied, FixError, Fixed, NotApplied, Step};

/// Why what is still offered was not done, when nothing kept it from being done.
const NO_ROUND_LEFT: &str = "no round was left for it: --max-rounds allows more";

impl FixSession<'_> {
    /// Writes what was made, and tells all of it.
    pub(super) fn finish(mut self, state: State, before: [usize; 3], rounds: usize) -> Result<Fixed, FixError> {
        let root = &self.session.tree.root;
        let changed = self.texts.changed().filter(|(path, _)| {
            // What is generated in a build is made again with the next one. It was only changed to see what comes of it.
            path.is_relative() && !self.session.tree.is_built(&root.join(path))
        });
        let changes = changed.filter_map(|(path, new)| {
            let old = self.texts.original(path).ok()?.to_vec();
            (old != **new).then(|| Change { path: path.to_path_buf(), old, new: new.to_vec() })
        });
        let changes: Vec<Change> = changes.collect();
        if self.request.write {
            self.write(&changes)?;
        }
        let steps = self.steps();
        let applied = std::mem::take(&mut self.made).into_iter().flat_map(|round| round.groups);
        let mut applied: Vec<Applied> = applied.map(|(_, group)| group.applied()).collect();
        applied.sort_by(|one, other| one.finding.primary.at.cmp(&other.finding.primary.at));
        let wanted = state.report.findings.iter().filter(|finding| self.is_wanted(finding));
        let offered =
            wanted.flat_map(|finding| finding.fixes.iter().map(|fix| (offer(finding, fix), fix.title.clone())));
        let not_applied: BTreeMap<Offer, NotApplied> = offered
            .map(|(offer, title)| {
                let reason = self.rejected.get(&offer).cloned().unwrap_or_else(|| NO_ROUND_LEFT.to_owned());
                let (at, rule) = (offer.0.clone(), offer.1.clone());
                (offer, NotApplied { at, rule, title, reason })
            })
            .collect();
        let not_applied = not_applied.into_values().collect();
        Ok(Fixed { applied, not_applied, changes, steps, rounds, before, report: state.report })
    }

    fn write(&self, changes: &[Change]) -> Result<(), FixError> {
        let root = &self.session.tree.root;
        let paths: Vec<PathBuf> = changes.iter().map(|change| change.path.clone()).collect();
        if !self.request.allow_dirty && !paths.is_empty() {
            match dirty(root, &paths) {
                Ok(dirty) if dirty.is_empty() => {}
                Ok(dirty) => {
                    let names: Vec<String> = dirty.iter().map(|path| path.display().to_string()).collect();
                    return Err(FixError::Dirty(names.join(", ")));
                }
                // Whoever keeps no history has to keep copies.
                Err(GitError::NotARepository { .. }) => {}
                Err(error) => return Err(FixError::Git(error)),
            }
        }
        let WriteOutcome { written, refused, .. } = write_all(root, changes);
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

    /// What was done, by rule and directory. A fix goes with its finding, whatever else it touches; an edit that several
    /// fixes share is in the first step that has it.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for round in &self.made {
            let mut by_key: BTreeMap<(String, PathBuf), Vec<&(GroupId, Group)>> = BTreeMap::new();
            for entry in &round.groups {
                let finding = &entry.1.finding;
                let key = (finding.rule.clone(), top(&finding.primary.at.path));
                by_key.entry(key).or_default().push(entry);
            }
            // What is left out of a set leaves the state before its step.
            let mut without = round.set.clone();
            let mut states = vec![without.clone()];
            for groups in by_key.values().rev() {
                for (id, _) in groups {
                    without = without.without(*id);
                }
                states.push(without.clone());
            }
            for ((rule, top), groups) in by_key {
                let from = states.pop().unwrap_or_default();
                let to = states.last().cloned().unwrap_or_default();
                let changes = round.before.iter().filter_map(|(path, text)| {
                    let (old, new) = (from.apply(path, text).ok()?, to.apply(path, text).ok()?);
                    (old != new).then(|| Change { path: path.clone(), old, new })
                });
                let changes: Vec<Change> = changes.collect();
                let applied = groups.iter().map(|(_, group)| group.applied()).collect();
                if !changes.is_empty() {
                    steps.push(Step { rule, top, applied, changes });
                }
            }
        }
        steps
    }
}

/// The first part of a path.
fn top(path: &Path) -> PathBuf {
    path.components().next().map(|first| PathBuf::from(first.as_os_str())).unwrap_or_default()
}
