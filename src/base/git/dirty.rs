//! Files whose content git could not restore.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::output::path_of;
use super::{Git, GitError, PATHS_AT_ONCE};

/// The files that differ from what is committed: changed, staged or untracked, ignored or not.
/// Files in submodules and outside of the repository count as untracked.
///
/// Paths are relative to the root, and are returned as given. Only `git` itself is run, and nothing
/// that the repository configures. So a file that passes through a filter (`git lfs`) may count as
/// changed. A change that git was told to ignore (`update-index --assume-unchanged`) is not seen.
///
/// # Errors
///
/// [`GitError::NotARepository`] when the tree is not in a repository, which the caller has to
/// interpret; the other errors when git cannot answer.
pub fn dirty(root: &Path, paths: &[PathBuf]) -> Result<Vec<PathBuf>, GitError> {
    let git = Git::new(root)?;
    // Where HEAD is broken, git compares with nothing.
    git.head()?;
    let mut found = Vec::new();
    for paths in paths.chunks(PATHS_AT_ONCE) {
        // By real path: git does not follow symbolic links.
        let placed: Vec<(&PathBuf, Option<PathBuf>)> = paths.iter().map(|path| (path, git.place(path))).collect();
        let inside: Vec<&Path> = placed.iter().filter_map(|(_, place)| place.as_deref()).collect();
        let tracked = git.tracked(&inside)?;
        let changed = git.changed(&inside)?;
        for (path, place) in &placed {
            let is_clean = place.as_ref().is_some_and(|place| tracked.contains(place) && !changed.contains(place));
            if !is_clean {
                found.push(path.to_path_buf());
            }
        }
    }
    Ok(found)
}

impl Git {
    /// The files, relative to the top, that are in the index.
    pub(super) fn tracked(&self, paths: &[&Path]) -> Result<BTreeSet<PathBuf>, GitError> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let out = self.succeed(&["ls-files", "-z", "--full-name", "--cached"], paths)?;
        let names = out.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(path_of).collect())
    }

    /// The files, relative to the top, that differ from what is committed, in the index or on disk.
    fn changed(&self, paths: &[&Path]) -> Result<BTreeSet<PathBuf>, GitError> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let status =
            ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=all"];
        let out = self.succeed(&status, paths)?;
        // Each entry is two letters, a blank and the path. Without renames it has one path.
        let entries = out.split(|byte| *byte == 0).filter_map(|entry| entry.get(3..));
        Ok(entries.map(path_of).collect())
    }
}
