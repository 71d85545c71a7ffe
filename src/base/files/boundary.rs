//! What belongs to a tree, and what its links lead out to.
//!
//! A tree may come from a stranger. What it names is read below it only, and a message quotes no
//! text of a file elsewhere: it could be a secret of whoever checks the tree.

use std::path::{Path, PathBuf};

use super::tree::{Tree, normalize};

/// Directories of installed software. They have no secrets.
const INSTALLED: &[&str] = &["/usr", "/lib", "/lib32", "/lib64", "/opt", "/nix/store", "/gnu/store", "/include"];

/// Whether a path leads to something below one of these directories, after all links are resolved.
/// What does not exist counts by its name.
pub fn is_below<P: AsRef<Path>>(path: &Path, homes: &[P]) -> bool {
    let target = real(path);
    homes.iter().any(|home| target.starts_with(real(home.as_ref())))
}

/// Whether a link in a tree leads from a path to something outside of the tree. The tree is that of
/// [`home_of`].
pub fn leads_out(path: &Path) -> bool {
    !is_below(path, &[home_of(path)])
}

/// The directory that a path belongs to, by its name: the nearest above it with `.git` or
/// `cowrap.toml`; else the working directory, if the path is below it; else the directory of the
/// path.
pub fn home_of(path: &Path) -> PathBuf {
    let path = normalize(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()));
    if let Some(home) = path.ancestors().skip(1).find(|at| is_marked(at)) {
        return home.to_path_buf();
    }
    let working_directory = std::env::current_dir().ok().filter(|directory| path.starts_with(directory));
    working_directory.or_else(|| path.parent().map(Path::to_path_buf)).unwrap_or(path)
}

/// Whether a directory has what the root of a tree has.
pub(super) fn is_marked(directory: &Path) -> bool {
    directory.join(".git").exists() || directory.join("cowrap.toml").exists()
}

/// Whether a directory is too wide to be the root of a tree unless the user says so: it contains the
/// user's own files, or the repository that the user works in.
pub(super) fn is_too_wide(root: &Path) -> bool {
    let contains_home = || std::env::var_os("HOME").is_some_and(|home| real(Path::new(&home)).starts_with(root));
    let contains_repository = || {
        let directory = std::env::current_dir().unwrap_or_default();
        // In a linked worktree or a submodule, `.git` is a file.
        let top = directory.ancestors().find(|at| at.join(".git").is_dir()).map(real);
        top.is_some_and(|top| top != root && top.starts_with(root))
    };
    root.parent().is_none() || (contains_home() && !is_marked(root)) || contains_repository()
}

impl Tree {
    /// Whether messages may quote a file: it belongs to the tree or to installed software, after all
    /// links are resolved.
    pub fn may_quote(&self, path: &Path) -> bool {
        self.find_foreign(std::iter::once(path.to_path_buf())).is_none()
    }

    /// The first of some files that messages may not quote.
    pub fn find_foreign(&self, mut files: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
        let homes = [Some(self.root.as_path()), self.build.as_deref()];
        let homes = homes.into_iter().flatten().chain(INSTALLED.iter().map(Path::new));
        let homes: Vec<PathBuf> = homes.map(real).collect();
        files.find(|file| {
            let file = real(file);
            !homes.iter().any(|home| file.starts_with(home))
        })
    }
}

/// The path without symbolic links; for a missing file, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for existing in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (existing.canonicalize(), path.strip_prefix(existing)) {
            return normalize(&real.join(rest));
        }
    }
    normalize(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_out() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        for directory in ["tree/.git", "tree/a", "other"] {
            std::fs::create_dir_all(root.join(directory)).unwrap();
        }
        for file in ["tree/a/file", "other/file"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, root.join(name)).unwrap();
        link("a/file", "tree/in");
        link("../other/file", "tree/out");
        link("../../other", "tree/a/directory");
        let leads = |path: &str| leads_out(&root.join(path));
        assert!(!leads("tree/a/file") && !leads("tree/in") && !leads("tree/none") && !leads("other/file"));
        assert!(leads("tree/out") && leads("tree/a/directory/file") && leads("tree/a/directory/none"));
        let tree = Tree { root: root.join("tree"), build: None };
        assert!(tree.may_quote(&root.join("tree/in")) && !tree.may_quote(&root.join("tree/out")));
        assert!(tree.may_quote(Path::new("/usr/include/stdio.h")) && !tree.may_quote(Path::new("/etc/passwd")));
        assert!(is_below(&root.join("tree/../other/file"), &[root.join("other")]));
        assert!(!is_below(&root.join("tree/a/directory/../other"), &[root.join("tree")]));
    }

    #[test]
    fn a_root_contains_no_home() {
        assert!(is_too_wide(Path::new("/")));
        let scratch = tempfile::tempdir().unwrap();
        assert!(!is_too_wide(&scratch.path().canonicalize().unwrap()));
    }
}
