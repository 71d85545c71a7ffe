//! Writing changed files: everything is checked and staged before the first file is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use thiserror::Error;

use cowrap_base::files::{Staged, remove_abandoned, sync_directory};

use super::Change;

/// What became of changes. Nothing was written when something was refused before the first file was replaced, which is the
/// rule: `written` and `refused` both hold something only when the file system failed in between.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The files that have their new text now, in the order of the changes; paths are those of the changes.
    pub written: Vec<PathBuf>,
    /// The files that had their new text before, and were not touched.
    pub same: Vec<PathBuf>,
    /// The files that cannot be changed. They are as they were.
    pub refused: Vec<Refusal>,
    /// The directories whose files were written, but may be the old ones again after a crash of the machine.
    pub unsynced: Vec<Unsynced>,
}

/// A file that cannot be changed.
#[derive(Debug, Error)]
#[error("{}: {reason}", path.display())]
pub struct Refusal {
    /// The path as the change has it.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why a file cannot be changed.
#[derive(Debug, Error)]
pub enum Reason {
    /// It is not what the edits were made for.
    #[error("has changed since it was read; run again")]
    Changed,
    /// It, or what a symbolic link in its path leads to, is not below the root.
    #[error("leads to {}, outside of the tree; change it there", .0.display())]
    Outside(PathBuf),
    /// Somebody meant it to stay as it is.
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
    /// The new text cannot be written beside it.
    #[error("cannot write its new text into its directory: {0}; nothing was changed")]
    Stage(#[source] io::Error),
    /// The new text cannot be put into its place.
    #[error("cannot replace it: {0}; other files may have been changed, so run again")]
    Replace(#[source] io::Error),
}

/// A directory that could not be synchronised with the disk.
#[derive(Debug, Error)]
#[error("{}: the files in it are written, but may not last through a crash: {reason}", directory.display())]
pub struct Unsynced {
    /// The directory; absolute.
    pub directory: PathBuf,
    /// The reason.
    pub reason: io::Error,
}

impl Outcome {
    /// Whether every file has its new text.
    pub fn is_complete(&self) -> bool {
        self.refused.is_empty()
    }
}

/// Gives files their new text, all of them or, if one is refused, none.
///
/// A file is refused when it is not what was read any more, when it lies outside of the root, also through symbolic links, when it
/// may not be written, and when its new text finds no space. All of this is found out before the first file is replaced.
/// Each file is replaced in one step, so that whenever the program is killed every file is whole, old or new; and what was
/// written is on the disk when this returns. The same changes can be tried again then: what has its new text already is left alone.
///
/// A symbolic link inside of the tree stays, and the file behind it is changed. Mode and owner are kept (the owner as far as the system
/// lets this process), hard links and extended attributes are not. Temporary files that killed runs have left in the directories
/// that are written to are removed; see [`remove_abandoned`].
///
/// The checks are there for mistakes, not for an enemy who changes the tree at the same time.
pub fn write_all<'c>(root: &Path, changes: &'c [Change]) -> Outcome {
    let mut outcome = Outcome::default();
    let root = match root.canonicalize() {
        Ok(root) => root,
        Err(error) => {
            let refuse = |change: &Change| {
                let error = io::Error::new(error.kind(), format!("the tree's root {}: {error}", root.display()));
                Refusal { path: change.path.clone(), reason: Reason::Read(error) }
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
        let staged = Staged::write(&pending.file, &pending.change.new);
        (pending.change, staged.map_err(Reason::Stage))
    };
    let Some(staged) = every(&mut outcome, pending.par_iter().map(stage)) else { return outcome };
    // Staging takes its time. The files are looked at again, so that next to nothing can happen between that and replacing them.
    let again = pending.par_iter().map(|pending| (pending.change, check(&root, pending.change)));
    if every(&mut outcome, again).is_none() {
        return outcome;
    }

    let put: Vec<_> = staged.into_par_iter().map(|(change, staged)| (&change.path, staged.put())).collect();
    for (path, result) in put {
        match result {
            Ok(()) => outcome.written.push(path.clone()),
            Err(error) => outcome.refused.push(Refusal { path: path.clone(), reason: Reason::Replace(error) }),
        }
    }
    let sync = |directory: &&Path| {
        let reason = sync_directory(directory).err()?;
        Some(Unsynced { directory: directory.to_path_buf(), reason })
    };
    outcome.unsynced = directories.par_iter().filter_map(sync).collect();
    outcome
}

/// A change that is left to make.
struct Pending<'c> {
    change: &'c Change,
    /// The file that it is about; absolute, without symbolic links.
    file: PathBuf,
}

/// Where a change stands.
enum Target {
    /// This file, absolute and without symbolic links, has the old text.
    Old(PathBuf),
    /// The file has the new text.
    New,
}

/// Whether a change can be made.
fn check(root: &Path, change: &Change) -> Result<Target, Reason> {
    let file = root.join(&change.path).canonicalize().map_err(Reason::Read)?;
    if !file.starts_with(root) {
        return Err(Reason::Outside(file));
    }
    let metadata = file.metadata().map_err(Reason::Read)?;
    if !metadata.is_file() {
        return Err(Reason::NotAFile);
    }
    let text = std::fs::read(&file).map_err(Reason::Read)?;
    if text == change.new {
        return Ok(Target::New);
    }
    if text != change.old {
        return Err(Reason::Changed);
    }
    // To rename over a file, only its directory need be writable. The bits are looked at as well, since root may open anything.
    let can_open = std::fs::OpenOptions::new().write(true).open(&file).is_ok();
    if metadata.permissions().readonly() || !can_open {
        return Err(Reason::ReadOnly);
    }
    Ok(Target::Old(file))
}

/// The changes that are about the file of another one.
fn doubles(pending: &[Pending]) -> Vec<Refusal> {
    let mut first: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut refused = Vec::new();
    for Pending { change, file } in pending {
        let path = change.path.clone();
        match first.get(file.as_path()) {
            Some(other) => refused.push(Refusal { path, reason: Reason::Twice(other.to_path_buf()) }),
            None => {
                first.insert(file, &change.path);
            }
        }
    }
    refused
}

/// The results of all changes; or `None` when there are refusals, which go into the outcome.
fn every<'c, T: Send>(
    outcome: &mut Outcome,
    results: impl ParallelIterator<Item = (&'c Change, Result<T, Reason>)>,
) -> Option<Vec<(&'c Change, T)>> {
    let results: Vec<_> = results.collect();
    let mut good = Vec::with_capacity(results.len());
    for (change, result) in results {
        match result {
            Ok(value) => good.push((change, value)),
            Err(reason) => outcome.refused.push(Refusal { path: change.path.clone(), reason }),
        }
    }
    outcome.refused.is_empty().then_some(good)
}
