//! Whether a tree brings a file or a directory.

use std::path::Path;

use super::repository::Repository;
use super::{Git, GitError};
use crate::files::{is_of_git, normalize};

/// Whether git tracks something at or below a path, or a link that leads there: then who changes the
/// tree decides what is there. What is outside of a repository, or in git's own directory, is not
/// tracked.
///
/// # Errors
///
/// git cannot answer.
pub fn is_tracked(path: &Path) -> Result<bool, GitError> {
    let failed = |reason| GitError::Unreadable { path: path.to_path_buf(), reason };
    let absolute = normalize(&std::path::absolute(path).map_err(failed)?);
    let links = absolute.ancestors().filter(|part| part.is_symlink());
    let real = absolute.canonicalize().ok();
    for named in links.map(Path::to_path_buf).chain(real) {
        let (Some(parent), Some(name)) = (named.parent(), named.file_name()) else { continue };
        // The link itself is asked for, not what it leads to.
        let Ok(parent) = parent.canonicalize() else { continue };
        if has(&parent, &parent.join(name))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the repository of a directory tracks a path.
fn has(directory: &Path, path: &Path) -> Result<bool, GitError> {
    // No tree can bring what is there, and git does not look for a repository there.
    if is_of_git(path) {
        return Ok(false);
    }
    // Without a repository, nobody needs git.
    match Repository::find(directory) {
        Err(GitError::NotARepository { .. }) => return Ok(false),
        other => other?,
    };
    let git = Git::new(directory)?;
    let Ok(relative) = path.strip_prefix(&git.top) else { return Ok(false) };
    if relative.as_os_str().is_empty() {
        return Ok(false);
    }
    Ok(!git.tracked(&[relative])?.is_empty())
}
