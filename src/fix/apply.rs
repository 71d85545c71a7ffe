//! Writing changed files: everything is checked and staged before the first file is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use thiserror::Error;

use cowrap_base::files::{Directory, LONGEST_TEXT, Staged, read_regular, remove_abandoned};

use crate::Change;

/// The result of writing changes. If a change is refused before the first file is replaced, nothing
/// is written. `written` and `refused` both have entries only when the file system failed after
/// that.
#[derive(Debug, Default)]
pub struct WriteOutcome {
    /// The files that were written, in the order of the changes and with their paths.
    pub written: Vec<PathBuf>,
    /// The files that already had their new text, and were not touched.
    pub same: Vec<PathBuf>,
    /// The files that cannot be changed. They are as they were.
    pub refused: Vec<RefusedChange>,
    /// The directories whose files were written, but may be lost after a crash of the machine.
    pub unsynced: Vec<UnsyncedDirectory>,
}

/// A file that cannot be changed.
#[derive(Debug, Error)]
#[error("{}: {reason}", path.display())]
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
    #[error("leads to {}, outside of the tree; change it there", .0.display())]
    Outside(PathBuf),
    /// It is write-protected.
    #[error("is read-only; make it writable first, or leave it out")]
    ReadOnly,
    /// It is a directory, a device or the like.
    #[error("is not a regular file; leave it out")]
    NotAFile,
    /// Another change is about the same file, under this name.
    #[error("is the same file as {}, which is changed too; name it once", .0.display())]
    Twice(PathBuf),
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Read(#[source] io::Error),
    /// The new text cannot be written next to it.
    #[error("cannot write its new text into its directory: {0}; nothing was changed")]
    Stage(#[source] io::Error),
    /// The file with the new text cannot replace it.
    #[error("cannot replace it: {0}; other files may have been changed, so run again")]
    Replace(#[source] io::Error),
}

/// A directory that could not be synchronised with the disk.
#[derive(Debug, Error)]
#[error("{}: the files in it are written, but a crash may undo that: {reason}", directory.display())]
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
}

/// Gives files their new text: all of them or, if one is refused, none.
///
/// A file is refused when its text is no longer the one that was read, when it is outside of the
/// root (also through symbolic links), when it is write-protected, and when there is no space for
/// its new text. All of this is checked before the first file is replaced. Each file is replaced
/// in one step: whenever the process is killed, every file has either its old or its new text. When
/// this returns, the new texts are on the disk. The same changes can be tried again; files with
/// their new text are left alone.
///
/// A symbolic link inside of the tree stays, and the file that it leads to is changed. Mode and
/// owner are kept (the owner as far as the system allows), hard links and extended attributes are
/// not. Temporary files that killed runs have left in the same directories are removed; see
/// [`remove_abandoned`].
///
/// The checks guard against mistakes, not against somebody who changes the tree at the same time.
pub fn write_all<'c>(root: &Path, changes: &'c [Change]) -> WriteOutcome {
    let mut outcome = WriteOutcome::default();
    let root = match root.canonicalize() {
        Ok(root) => root,
        Err(error) => {
            let refuse = |change: &Change| {
                let error = io::Error::new(error.kind(), format!("the tree's root {}: {error}", root.display()));
                RefusedChange { path: change.path.clone(), reason: RefusalReason::Read(error) }
            };
            outcome.refused = changes.iter().map(refuse).collect();
            return outcome;
        }
    };
    let checked = changes.par_iter().map(|change| (change, check(&root, change)));
    let Some(checked) = every(&mut outcome, checked) else { return outcome };
    let mut pending: Vec<Pending> = Vec::new();
    for (change, target) in checked {
        match target {
            Target::Old(file) => pending.push(Pending { change, file }),
            Target::New => outcome.same.push(change.path.clone()),
        }
    }
    outcome.refused = doubles(&pending);
    if !outcome.refused.is_empty() {
        return outcome;
    }

    let directories: BTreeSet<&Path> = pending.iter().filter_map(|pending| pending.file.parent()).collect();
    directories.iter().for_each(|directory| remove_abandoned(directory));

    let stage = |pending: &Pending<'c>| {
        let Pending { change, file } = pending;
        let staged = open_parent(file).and_then(|(directory, name)| Staged::sync_in(&directory, name, &change.new));
        (*change, staged.map(|staged| (file.clone(), staged)).map_err(RefusalReason::Stage))
    };
    let Some(staged) = every(&mut outcome, pending.par_iter().map(stage)) else { return outcome };
    // Staging takes time. Checking again leaves hardly any between the check and the replacement.
    let again = pending.par_iter().map(|pending| (pending.change, check(&root, pending.change)));
    if every(&mut outcome, again).is_none() {
        return outcome;
    }

    let put = |(change, (file, staged)): (&'c Change, (PathBuf, Staged))| {
        let put = open_parent(&file).and_then(|(directory, _)| staged.put_in(&directory));
        (&change.path, put)
    };
    let put: Vec<_> = staged.into_par_iter().map(put).collect();
    for (path, result) in put {
        match result {
            Ok(()) => outcome.written.push(path.clone()),
            Err(error) => {
                outcome.refused.push(RefusedChange { path: path.clone(), reason: RefusalReason::Replace(error) })
            }
        }
    }
    let sync = |directory: &&Path| {
        let reason = Directory::open(directory).and_then(|directory| directory.sync()).err()?;
        Some(UnsyncedDirectory { directory: directory.to_path_buf(), reason })
    };
    outcome.unsynced = directories.par_iter().filter_map(sync).collect();
    outcome
}

/// The directory of a file, and the file's name in it.
fn open_parent(file: &Path) -> io::Result<(Directory, &OsStr)> {
    let parent = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
    Ok((Directory::open(parent)?, file.file_name().ok_or(io::ErrorKind::InvalidInput)?))
}

/// A change that has to be made.
struct Pending<'c> {
    change: &'c Change,
    /// The file; absolute, without symbolic links.
    file: PathBuf,
}

/// What a file has now.
enum Target {
    /// The old text; the file is absolute and without symbolic links.
    Old(PathBuf),
    /// The new text.
    New,
}

/// Whether a change can be made.
fn check(root: &Path, change: &Change) -> Result<Target, RefusalReason> {
    let file = root.join(&change.path).canonicalize().map_err(RefusalReason::Read)?;
    if !file.starts_with(root) {
        return Err(RefusalReason::Outside(file));
    }
    let metadata = file.metadata().map_err(RefusalReason::Read)?;
    if !metadata.is_file() {
        return Err(RefusalReason::NotAFile);
    }
    let text = read_regular(&file, LONGEST_TEXT).map_err(RefusalReason::Read)?;
    if text == change.new {
        return Ok(Target::New);
    }
    if text != change.old {
        return Err(RefusalReason::Changed);
    }
    // Renaming over a file only needs a writable directory. The mode is checked as well, since root
    // may open any file.
    let can_open = std::fs::OpenOptions::new().write(true).open(&file).is_ok();
    if metadata.permissions().readonly() || !can_open {
        return Err(RefusalReason::ReadOnly);
    }
    Ok(Target::Old(file))
}

/// The changes whose file another change has already named.
fn doubles(pending: &[Pending]) -> Vec<RefusedChange> {
    let mut first: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut refused = Vec::new();
    for Pending { change, file } in pending {
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
            Err(reason) => outcome.refused.push(RefusedChange { path: change.path.clone(), reason }),
        }
    }
    outcome.refused.is_empty().then_some(good)
}
