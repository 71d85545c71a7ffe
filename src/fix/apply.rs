//! Writing changed files: all of them or none, also if the program is killed.
//!
//! Everything is checked and staged before the first file is replaced. Files are replaced in an order
//! in which nothing uses what is not declared yet. A journal says what belongs together while that
//! goes on, so that a later run can finish it, or undo it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use thiserror::Error;

use cowrap_base::files::{
    Digest, Directory, LONGEST_TEXT, Shown, Staged, is_of_git, remove_abandoned_in, remove_abandoned_parts_in,
    uninterrupted,
};

use crate::Change;
use crate::journal::{self, Entry, Found, JOURNAL, split};
use crate::order::order;

/// The result of writing changes. If a change is refused, nothing is written, and `written` is empty
/// unless the file system failed while the changes were undone.
#[derive(Debug, Default)]
pub struct WriteOutcome {
    /// The files that were written, in the order of the changes and with their paths.
    pub written: Vec<PathBuf>,
    /// The files that already had their new text, and were not touched.
    pub same: Vec<PathBuf>,
    /// The files that cannot be changed. They are as they were.
    pub refused: Vec<RefusedChange>,
    /// The written files that had other names (hard links), which keep the old text.
    pub separated: Vec<PathBuf>,
    /// The directories whose files were written, but may be lost after a crash of the machine.
    pub unsynced: Vec<UnsyncedDirectory>,
}

/// A file that cannot be changed.
#[derive(Debug, Error)]
#[error("{}: {reason}", path.shown())]
pub struct RefusedChange {
    /// The path as the change has it.
    pub path: PathBuf,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a file cannot be changed.
#[derive(Debug, Error)]
pub enum RefusalReason {
    /// It is not the text that the edits were made for.
    #[error("has changed since it was read; run again")]
    Changed,
    /// It, or the target of a symbolic link in its path, is not below the root.
    #[error("leads to {}, outside of the tree; change it there", .0.shown())]
    Outside(PathBuf),
    /// It is in git's own directory.
    #[error("is in git's own directory; leave it out")]
    GitDirectory,
    /// It is write-protected.
    #[error("is read-only; make it writable first, or leave it out")]
    ReadOnly,
    /// It is a directory, a device or the like.
    #[error("is not a regular file; leave it out")]
    NotAFile,
    /// Another change is about the same file, under this name.
    #[error("is the same file as {}, which is changed too; name it once", .0.shown())]
    Twice(PathBuf),
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Read(#[source] io::Error),
    /// The new text cannot be written next to it.
    #[error("cannot write its new text into its directory: {0}; nothing was changed")]
    Stage(#[source] io::Error),
    /// The journal cannot be written.
    #[error("cannot write it, and without it a change of several files cannot be finished: {0}; nothing was changed")]
    Journal(#[source] io::Error),
    /// The file with the new text cannot replace it.
    #[error("cannot replace it: {0}; nothing was changed")]
    Replace(#[source] io::Error),
    /// The file was replaced, and the old one cannot be brought back.
    #[error("cannot bring back its old text: {0}; run `cowrap fix` again")]
    Undo(#[source] io::Error),
    /// An earlier change is unfinished.
    #[error(transparent)]
    Unfinished(#[from] RecoverError),
}

/// A directory that could not be synchronised with the disk.
#[derive(Debug, Error)]
#[error("{}: the files in it are written, but a crash may undo that: {reason}", directory.shown())]
pub struct UnsyncedDirectory {
    /// The directory; absolute.
    pub directory: PathBuf,
    /// The reason.
    pub reason: io::Error,
}

impl WriteOutcome {
    /// Whether every file has its new text.
    pub fn is_complete(&self) -> bool {
        self.refused.is_empty()
    }

    fn refuse(&mut self, path: &Path, reason: RefusalReason) {
        self.refused.push(RefusedChange { path: path.to_path_buf(), reason });
    }
}

/// What was done about a change that an earlier run did not finish. The files are relative to the
/// root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// There was none.
    Nothing,
    /// These files, which still had their old text, got the new one.
    Finished(Vec<PathBuf>),
    /// These files got their old text again.
    Undone(Vec<PathBuf>),
}

/// Why a change that an earlier run did not finish is still unfinished.
#[derive(Debug, Error)]
pub enum RecoverError {
    /// It is being made.
    #[error("another `cowrap fix` is changing this tree; run again when it has finished")]
    Running,
    /// Files have changed since.
    #[error(
        "an earlier `cowrap fix` was killed when it had changed {}, and {} changed since: it can be neither finished \
         nor undone\n  restore the files, with `git restore` for instance, and run again; or remove {JOURNAL} to keep \
         them as they are",
        names(.changed), names(.other)
    )]
    Stuck {
        /// The files with the new text.
        changed: Vec<PathBuf>,
        /// The files that have neither the old text nor the new one, or whose other text is lost.
        other: Vec<PathBuf>,
    },
    /// The journal is not one of this user's runs.
    #[error("{JOURNAL} was not written by a `cowrap fix` of this user, or is damaged; remove it")]
    Foreign,
    /// The file system reports an error.
    #[error("cannot finish what an earlier `cowrap fix` began: {}: {source}", path.shown())]
    Failed {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

fn names(paths: &[PathBuf]) -> String {
    const MOST: usize = 5;
    let mut names: Vec<String> = paths.iter().take(MOST).map(|path| path.shown().to_string()).collect();
    match paths.len() {
        0 => names.push("no file".to_owned()),
        count if count > MOST => names.push(format!("{} more", count - MOST)),
        _ => {}
    }
    names.join(", ")
}

/// A step on the file system, before which tests fail or kill the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Journal,
    Replace,
    Undo,
    Finish,
}

/// What happens before each step.
type Before<'b> = &'b dyn Fn(Step) -> io::Result<()>;

/// Gives files their new text: all of them or, if one is refused, none.
///
/// A file is refused when its text is no longer the one that was read, when it is outside of the
/// root (also through symbolic links) or in git's own directory, when it is write-protected, and when
/// there is no space for its new text. All of this is checked before the first file is replaced. If
/// one cannot be replaced, those before it get their old text again. If the process is killed, the
/// next call finishes what it did, or undoes it: see [`recover`]. When this returns, the new texts
/// are on the disk. The same changes can be tried again; files with their new text are left alone.
///
/// A symbolic link inside of the tree stays, and the file that it leads to is changed. Mode, extended
/// attributes and access control lists are kept, and the owner as far as the system allows. Other
/// names of a file (hard links) keep the old text. Temporary files that killed runs have left in the
/// same directories are removed.
pub fn write_all(root: &Path, changes: &[Change]) -> WriteOutcome {
    write_all_with(root, changes, &|_| Ok(()))
}

fn write_all_with(root: &Path, changes: &[Change], before: Before<'_>) -> WriteOutcome {
    let mut outcome = WriteOutcome::default();
    let opened = root.canonicalize().and_then(|root| Directory::open(&root));
    let root = match opened {
        Ok(root) => root,
        Err(error) => {
            for change in changes {
                let error = io::Error::new(error.kind(), format!("the tree's root {}: {error}", root.shown()));
                outcome.refuse(&change.path, RefusalReason::Read(error));
            }
            return outcome;
        }
    };
    if let Err(error) = recover_in(&root, before) {
        outcome.refuse(Path::new(JOURNAL), error.into());
        return outcome;
    }
    let checked = changes.par_iter().map(|change| (change, check(&root, change)));
    let Some(checked) = every(&mut outcome, checked) else { return outcome };
    let mut pending: Vec<Pending> = Vec::new();
    for (change, target) in checked {
        match target {
            Target::Old { file, has_other_names } => pending.push(Pending { change, file, has_other_names }),
            Target::New => outcome.same.push(change.path.clone()),
        }
    }
    outcome.refused = doubles(&pending);
    if !outcome.refused.is_empty() {
        return outcome;
    }

    let directories: BTreeSet<&Path> = pending.iter().map(|pending| split(&pending.file).0).collect();
    remove_leftovers_in(&root, &directories);
    let stage = |pending: &Pending<'_>| {
        let (directory, name) = split(&pending.file);
        root.below(directory).and_then(|directory| Staged::sync_part_in(&directory, name, &pending.change.new))
    };
    let staged = pending.par_iter().map(|pending| (pending.change, stage(pending).map_err(RefusalReason::Stage)));
    let Some(staged) = every(&mut outcome, staged) else { return outcome };
    // Staging takes time. Checking again leaves hardly any between the check and the replacement.
    let again = pending.par_iter().map(|pending| (pending.change, check(&root, pending.change)));
    if every(&mut outcome, again).is_none() {
        return outcome;
    }
    let replacements =
        pending.iter().zip(staged).map(|(pending, (_, staged))| Replacement { pending, staged }).collect();
    replace_all(&root, replacements, &directories, &mut outcome, before);
    outcome
}

/// A change that has to be made.
struct Pending<'c> {
    change: &'c Change,
    /// The file, relative to the root and without symbolic links.
    file: PathBuf,
    has_other_names: bool,
}

/// A change whose new text is on the disk.
struct Replacement<'p> {
    pending: &'p Pending<'p>,
    staged: Staged,
}

impl Replacement<'_> {
    fn entry(&self) -> Entry {
        Entry {
            path: self.pending.file.clone(),
            temporary: self.staged.temporary_name().to_owned(),
            old: Digest::of(&self.pending.change.old),
            new: Digest::of(&self.pending.change.new),
        }
    }
}

/// Replaces files. If one cannot be replaced, those before it are as they were.
fn replace_all(
    root: &Directory,
    replacements: Vec<Replacement<'_>>,
    directories: &BTreeSet<&Path>,
    outcome: &mut WriteOutcome,
    before: Before<'_>,
) {
    if replacements.is_empty() {
        return;
    }
    let changes: Vec<&Change> = replacements.iter().map(|replacement| replacement.pending.change).collect();
    let order = order(&changes);
    let separated = replacements.iter().filter(|replacement| replacement.pending.has_other_names);
    let separated = separated.map(|replacement| replacement.pending.change.path.clone()).collect();
    let entries: Vec<Entry> = order.iter().map(|number| replacements[*number].entry()).collect();
    // One file is replaced in one step, which needs no journal.
    let has_journal = entries.len() > 1;
    let sync = |directory: &&Path| root.below(directory).and_then(|directory| directory.sync());
    let result = uninterrupted(|| {
        if has_journal {
            let written = before(Step::Journal)
                .and_then(|()| directories.iter().try_for_each(sync))
                .and_then(|()| journal::write(root, &entries));
            if let Err(error) = written {
                outcome.refuse(Path::new(JOURNAL), RefusalReason::Journal(error));
                return false;
            }
        }
        // From now on, the journal says what becomes of the temporary files.
        replacements.into_iter().for_each(|replacement| {
            replacement.staged.keep();
        });
        for (at, entry) in entries.iter().enumerate() {
            let expected = &changes[order[at]].old;
            if let Err(reason) = replace(root, entry, Some(expected), before) {
                outcome.refuse(&changes[order[at]].path, reason);
                undo_all(root, &entries[..at], outcome, before);
                if outcome.written.is_empty() {
                    finish(root, &entries, has_journal);
                }
                return false;
            }
        }
        // Whoever interrupts the program from here on finds nothing left behind.
        for directory in directories {
            if let Err(reason) = sync(directory) {
                outcome.unsynced.push(UnsyncedDirectory { directory: root.path().join(directory), reason });
            }
        }
        // A failure leaves a journal of a change that is complete, which the next run removes.
        if before(Step::Finish).is_ok() {
            finish(root, &entries, has_journal);
        }
        true
    });
    if !result {
        return;
    }
    outcome.written = changes.iter().map(|change| change.path.clone()).collect();
    outcome.separated = separated;
}

/// Puts a staged text into the place of a file. The old text is under the temporary name then, or the
/// second one. If the old text is not the expected one, the file is as it was.
fn replace(root: &Directory, entry: &Entry, expected: Option<&[u8]>, before: Before<'_>) -> Result<(), RefusalReason> {
    let (directory, name) = entry.parts();
    let directory = before(Step::Replace).and_then(|()| root.below(directory)).map_err(RefusalReason::Replace)?;
    exchange(&directory, name, entry).map_err(RefusalReason::Replace)?;
    let Some(expected) = expected else { return Ok(()) };
    // Somebody may have saved the file in the last moment.
    let kept = [&entry.temporary, &entry.second()].into_iter().find_map(|name| read(&directory, name, expected.len()));
    if kept.as_deref() == Some(expected) {
        return Ok(());
    }
    match bring_back(&directory, name, entry) {
        Ok(()) => Err(RefusalReason::Changed),
        Err(error) => Err(RefusalReason::Undo(error)),
    }
}

fn exchange(directory: &Directory, name: &OsStr, entry: &Entry) -> io::Result<()> {
    match directory.exchange(&entry.temporary, name) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        other => return other,
    }
    let second = entry.second();
    directory.remove(&second)?;
    if directory.link(name, &second).is_err() {
        // The file system has no links.
        let mut bytes = Vec::new();
        directory.open_file(name)?.read_to_end(&mut bytes)?;
        let mut copy = directory.create_file(&second, 0o600)?;
        copy.write_all(&bytes)?;
        copy.sync_all()?;
    }
    directory.rename(&entry.temporary, directory, name)
}

/// Brings back the old text of a file.
fn bring_back(directory: &Directory, name: &OsStr, entry: &Entry) -> io::Result<()> {
    match directory.entry(&entry.second())? {
        Some(_) => directory.rename(&entry.second(), directory, name),
        None => directory.exchange(&entry.temporary, name),
    }
}

/// Brings back the old texts of replaced files, the last one first.
fn undo_all(root: &Directory, entries: &[Entry], outcome: &mut WriteOutcome, before: Before<'_>) {
    for entry in entries.iter().rev() {
        let (directory, name) = entry.parts();
        let undone = before(Step::Undo)
            .and_then(|()| root.below(directory))
            .and_then(|directory| bring_back(&directory, name, entry));
        if let Err(error) = undone {
            outcome.written.push(entry.path.clone());
            outcome.refuse(&entry.path, RefusalReason::Undo(error));
        }
    }
}

/// Removes the texts that are not needed any more, and then the journal: if the program is killed in
/// between, the next run removes the rest. Without a journal of its own, it removes none: another
/// process may have written one.
fn finish(root: &Directory, entries: &[Entry], has_journal: bool) {
    for entry in entries {
        let (directory, _) = entry.parts();
        if let Ok(directory) = root.below(directory) {
            let _ = directory.remove(&entry.temporary);
            let _ = directory.remove(&entry.second());
        }
    }
    if has_journal {
        let _ = journal::remove(root);
        // A journal has two names for a moment.
        remove_abandoned_in(root);
    }
}

/// Whether a run that has ended has left a change of several files unfinished.
pub fn is_unfinished(root: &Path) -> bool {
    let found = Directory::open(root).and_then(|root| journal::read(&root));
    matches!(found, Ok(Found::Unfinished(_)))
}

/// Finishes a change that a killed run has left unfinished, or undoes it if it cannot be finished
/// since files have changed.
///
/// # Errors
///
/// Neither is possible, or a process is making the change now.
pub fn recover(root: &Path) -> Result<Recovered, RecoverError> {
    let failed = |source| RecoverError::Failed { path: root.to_path_buf(), source };
    let root = root.canonicalize().and_then(|root| Directory::open(&root)).map_err(failed)?;
    recover_in(&root, &|_| Ok(()))
}

/// Removes what killed runs have left in directories, which are relative to the root. If a change is
/// unfinished, everything stays.
pub fn remove_leftovers(root: &Path, directories: &BTreeSet<&Path>) {
    let root = root.canonicalize().and_then(|root| Directory::open(&root));
    if let Ok(root) = root
        && matches!(journal::read(&root), Ok(Found::Nothing))
    {
        remove_leftovers_in(&root, directories);
    }
}

fn remove_leftovers_in(root: &Directory, directories: &BTreeSet<&Path>) {
    directories.par_iter().filter_map(|directory| root.below(directory).ok()).for_each(|directory| {
        remove_abandoned_in(&directory);
        remove_abandoned_parts_in(&directory);
    });
}

/// What a file of an unfinished change has now.
struct FileState {
    has_old: bool,
    has_new: bool,
    /// Whether its other text is beside it.
    can_change: bool,
}

fn recover_in(root: &Directory, before: Before<'_>) -> Result<Recovered, RecoverError> {
    let failed = |path: &Path, source| RecoverError::Failed { path: path.to_path_buf(), source };
    let entries = match journal::read(root).map_err(|error| failed(Path::new(JOURNAL), error))? {
        Found::Nothing => return Ok(Recovered::Nothing),
        Found::Running => return Err(RecoverError::Running),
        Found::Foreign => return Err(RecoverError::Foreign),
        Found::Unfinished(entries) => entries,
    };
    let states: Vec<FileState> = entries.iter().map(|entry| state(root, entry)).collect();
    let all = |holds: &dyn Fn(&FileState) -> bool| states.iter().all(holds);
    if all(&|state| state.has_old) || all(&|state| state.has_new) {
        let is_new = all(&|state| state.has_new);
        finish(root, &entries, true);
        return Ok(if is_new { Recovered::Finished(Vec::new()) } else { Recovered::Undone(Vec::new()) });
    }
    let can_finish = all(&|state| state.has_new || state.has_old && state.can_change);
    let can_undo = all(&|state| state.has_old || state.has_new && state.can_change);
    let mut done = Vec::new();
    if can_finish {
        uninterrupted(|| {
            for (entry, _) in entries.iter().zip(&states).filter(|(_, state)| state.has_old) {
                replace(root, entry, None, before).map_err(|reason| failed(&entry.path, io::Error::other(reason)))?;
                done.push(entry.path.clone());
            }
            finish(root, &entries, true);
            Ok(Recovered::Finished(done))
        })
    } else if can_undo {
        uninterrupted(|| {
            for (entry, _) in entries.iter().zip(&states).rev().filter(|(_, state)| state.has_new) {
                let (directory, name) = entry.parts();
                before(Step::Undo)
                    .and_then(|()| root.below(directory))
                    .and_then(|directory| bring_back(&directory, name, entry))
                    .map_err(|error| failed(&entry.path, error))?;
                done.push(entry.path.clone());
            }
            finish(root, &entries, true);
            Ok(Recovered::Undone(done))
        })
    } else {
        let paths = |wanted: &dyn Fn(&FileState) -> bool| {
            let chosen = entries.iter().zip(&states).filter(|(_, state)| wanted(state));
            chosen.map(|(entry, _)| entry.path.clone()).collect()
        };
        Err(RecoverError::Stuck {
            changed: paths(&|state| state.has_new),
            other: paths(&|state| !(state.has_new || state.has_old && state.can_change)),
        })
    }
}

fn state(root: &Directory, entry: &Entry) -> FileState {
    let (directory, name) = entry.parts();
    let Ok(directory) = root.below(directory) else {
        return FileState { has_old: false, has_new: false, can_change: false };
    };
    let digest = |name: &OsStr| read(&directory, name, LONGEST_TEXT as usize).map(|text| Digest::of(&text));
    let own = digest(name);
    let (has_old, has_new) = (own == Some(entry.old), own == Some(entry.new));
    let other = if has_old { entry.new } else { entry.old };
    let beside: [OsString; 2] = [entry.temporary.clone(), entry.second()];
    let can_change = beside.iter().any(|name| digest(name) == Some(other));
    FileState { has_old, has_new, can_change }
}

/// The bytes of a regular file, if there are no more than `most`.
fn read(directory: &Directory, name: &OsStr, most: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    directory.open_file(name).ok()?.take(most as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= most).then_some(bytes)
}

/// What a file has now.
enum Target {
    /// The old text. The file is relative to the root and without symbolic links.
    Old { file: PathBuf, has_other_names: bool },
    /// The new text.
    New,
}

/// Whether a change can be made.
fn check(root: &Directory, change: &Change) -> Result<Target, RefusalReason> {
    let file = root.path().join(&change.path).canonicalize().map_err(RefusalReason::Read)?;
    let Ok(relative) = file.strip_prefix(root.path()) else { return Err(RefusalReason::Outside(file)) };
    if is_of_git(relative) {
        return Err(RefusalReason::GitDirectory);
    }
    let (directory, name) = split(relative);
    let directory = root.below(directory).map_err(RefusalReason::Read)?;
    let entry = directory.entry(name).map_err(RefusalReason::Read)?;
    let entry = entry.filter(|entry| entry.is_regular()).ok_or(RefusalReason::NotAFile)?;
    let mut text = Vec::new();
    // A file that has become longer has changed.
    let most = change.old.len().max(change.new.len()) as u64 + 1;
    let read = directory.open_file(name).and_then(|file| file.take(most).read_to_end(&mut text));
    read.map_err(RefusalReason::Read)?;
    if text == change.new {
        return Ok(Target::New);
    }
    if text != change.old {
        return Err(RefusalReason::Changed);
    }
    // Renaming over a file only needs a writable directory. The mode is checked as well, since root
    // may open any file.
    if entry.mode & 0o222 == 0 || directory.open_to_write(name).is_err() {
        return Err(RefusalReason::ReadOnly);
    }
    Ok(Target::Old { file: relative.to_path_buf(), has_other_names: entry.links > 1 })
}

/// The changes whose file another change has already named.
fn doubles(pending: &[Pending]) -> Vec<RefusedChange> {
    let mut first: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut refused = Vec::new();
    for Pending { change, file, .. } in pending {
        let path = change.path.clone();
        match first.get(file.as_path()) {
            Some(other) => refused.push(RefusedChange { path, reason: RefusalReason::Twice(other.to_path_buf()) }),
            None => {
                first.insert(file, &change.path);
            }
        }
    }
    refused
}

/// The results of all changes; `None` if a change is refused, and the outcome says why.
fn every<'c, T: Send>(
    outcome: &mut WriteOutcome,
    results: impl ParallelIterator<Item = (&'c Change, Result<T, RefusalReason>)>,
) -> Option<Vec<(&'c Change, T)>> {
    let results: Vec<_> = results.collect();
    let mut good = Vec::with_capacity(results.len());
    for (change, result) in results {
        match result {
            Ok(value) => good.push((change, value)),
            Err(reason) => outcome.refuse(&change.path, reason),
        }
    }
    outcome.refused.is_empty().then_some(good)
}

#[cfg(test)]
mod tests;
