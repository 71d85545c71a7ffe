//! Asking git which files it could not bring back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Git, GitError, PATHS_AT_ONCE, path_of};

/// Which of these files are not as git has them committed: changed, staged, or not tracked at all, whether ignored or not. Files of
/// submodules are not tracked in this sense, and neither is what lies outside of the repository.
///
/// Paths are relative to the root, and come back as they were given. The program `git` is run, and nothing that the repository
/// configures; so files that go through a filter (`git lfs`) may count as changed. A change that git was told to
/// overlook (`update-index --assume-unchanged`) is not seen.
///
/// # Errors
///
/// [`GitError::NotARepository`] when git does not know the tree, which leaves it to the caller what that means; the others when git
/// cannot be asked.
pub fn dirty(root: &Path, paths: &[PathBuf]) -> Result<Vec<PathBuf>, GitError> {
    let git = Git::new(root)?;
    let mut found = Vec::new();
    for paths in paths.chunks(PATHS_AT_ONCE) {
        // By their real place: git does not look through symbolic links.
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
    /// Which of these files, relative to the top, are in the index.
    fn tracked(&self, paths: &[&Path]) -> Result<BTreeSet<PathBuf>, GitError> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let out = self.succeed(&["ls-files", "-z", "--full-name", "--cached"], paths)?;
        let names = out.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(path_of).collect())
    }

    /// Which of these files, relative to the top, differ from what is committed, in the index or on the disk.
    fn changed(&self, paths: &[&Path]) -> Result<BTreeSet<PathBuf>, GitError> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let status =
            ["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=all"];
        let out = self.succeed(&status, paths)?;
        // Each entry is two letters, a blank and the path; without renames there is one path in each.
        let entries = out.split(|byte| *byte == 0).filter_map(|entry| entry.get(3..));
        Ok(entries.map(path_of).collect())
    }
}
