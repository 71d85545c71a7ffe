//! Asking git which files it could not bring back.
//!
//! A tree may come from anywhere, and git runs what a repository's configuration names. The questions here are asked such that it does
//! not: no monitor of the file system, no hook, no filter, no fetching of what a partial clone lacks.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use thiserror::Error;

use crate::source::normalize;

/// Why git has no answer.
#[derive(Debug, Error)]
pub enum DirtyError {
    /// The tree is not under git, or git looks at it as if it were not.
    #[error("{}: not in a git repository; nothing can be told about changes that are not committed", root.display())]
    NotARepository {
        /// The tree's root.
        root: PathBuf,
    },
    /// There is no git, or it cannot be started.
    #[error("cannot run `git` in {}: {reason}; install it, or see to it that PATH names it", root.display())]
    NoGit {
        /// The tree's root.
        root: PathBuf,
        /// The reason.
        reason: io::Error,
    },
    /// It refused.
    #[error("git has no answer about {}: {message}", root.display())]
    Failed {
        /// The tree's root.
        root: PathBuf,
        /// What it says, in one line.
        message: String,
    },
}

/// How many paths one command gets; far below what a system allows.
const PATHS_AT_ONCE: usize = 250;

/// The variables that would point git at another repository, as those of a hook do.
const REDIRECTING: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Which of these files are not as git has them committed: changed, staged, or not tracked at all, whether ignored or not. Files of
/// submodules are not tracked in this sense, and neither is what lies outside of the repository.
///
/// Paths are relative to the root, and come back as they were given. The program `git` is run, and nothing that the repository
/// configures; so files that go through a filter (`git lfs`) may count as changed. A change that git was told to
/// overlook (`update-index --assume-unchanged`) is not seen.
///
/// # Errors
///
/// [`DirtyError::NotARepository`] when git does not know the tree, which leaves it to the caller what that means; the others when git
/// cannot be asked.
pub fn dirty(root: &Path, paths: &[PathBuf]) -> Result<Vec<PathBuf>, DirtyError> {
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

/// The git that answers about one tree.
struct Git<'t> {
    root: &'t Path,
    /// The top of the working tree; absolute, without symbolic links.
    top: PathBuf,
    /// Options that switch off the filters which the configuration names.
    filters_off: Vec<OsString>,
}

impl<'t> Git<'t> {
    fn new(root: &'t Path) -> Result<Git<'t>, DirtyError> {
        let mut git = Git { root, top: PathBuf::new(), filters_off: Vec::new() };
        let out = git.succeed(&["rev-parse", "--show-toplevel"], &[])?;
        let top = out.strip_suffix(b"\n").unwrap_or(&out);
        let top = Path::new(OsStr::from_bytes(top));
        git.top = top.canonicalize().unwrap_or_else(|_| normalize(top));

        let pattern = r"^filter\..*\.(clean|process|required)$";
        let out = git.run(&["config", "--null", "--name-only", "--get-regexp", pattern], &[])?;
        // Status 1 says that there is none.
        if !matches!(out.status.code(), Some(0 | 1)) {
            return Err(git.failure(&out));
        }
        for name in out.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            // Unlike `-c`, this form takes names with `=` in them.
            let mut option = OsString::from("--config-env=");
            option.push(OsStr::from_bytes(name));
            option.push(if name.ends_with(b".required") { "=COWRAP_FALSE" } else { "=COWRAP_EMPTY" });
            git.filters_off.push(option);
        }
        Ok(git)
    }

    /// Where a file really is, relative to the top; `None` when that is outside.
    fn place(&self, path: &Path) -> Option<PathBuf> {
        let path = self.root.join(path);
        let real = path.canonicalize().or_else(|_| std::path::absolute(&path).map(|path| normalize(&path))).ok()?;
        real.strip_prefix(&self.top).map(Path::to_path_buf).ok()
    }

    /// Which of these files, relative to the top, are in the index.
    fn tracked(&self, paths: &[&Path]) -> Result<BTreeSet<PathBuf>, DirtyError> {
        if paths.is_empty() {
            return Ok(BTreeSet::new());
        }
        let out = self.succeed(&["ls-files", "-z", "--full-name", "--cached"], paths)?;
        let names = out.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(path_of).collect())
    }

    /// Which of these files, relative to the top, differ from what is committed, in the index or on the disk.
    fn changed(&self, paths: &[&Path]) -> Result<BTreeSet<PathBuf>, DirtyError> {
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

    fn succeed(&self, arguments: &[&str], paths: &[&Path]) -> Result<Vec<u8>, DirtyError> {
        let out = self.run(arguments, paths)?;
        if out.status.success() { Ok(out.stdout) } else { Err(self.failure(&out)) }
    }

    fn run(&self, arguments: &[&str], paths: &[&Path]) -> Result<Output, DirtyError> {
        let mut command = Command::new("git");
        command.current_dir(if self.top.as_os_str().is_empty() { self.root } else { &self.top });
        for variable in REDIRECTING {
            command.env_remove(variable);
        }
        // No lock on the index, which would also run a hook; nothing is fetched; messages in one language.
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
        command.env("LC_ALL", "C").env("COWRAP_EMPTY", "").env("COWRAP_FALSE", "false");
        command.args(["--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false"]);
        command.args(["-c", "core.hooksPath=/dev/null"]).args(&self.filters_off).args(arguments);
        if !paths.is_empty() {
            command.arg("--").args(paths);
        }
        command.output().map_err(|reason| DirtyError::NoGit { root: self.root.to_path_buf(), reason })
    }

    fn failure(&self, out: &Output) -> DirtyError {
        let root = self.root.to_path_buf();
        let message = String::from_utf8_lossy(&out.stderr).trim().replace('\n', "; ");
        // The second is what it says inside of `.git`, and in a repository without a working tree.
        let is_outside =
            ["not a git repository", "must be run in a work tree"].iter().any(|said| message.contains(said));
        if is_outside { DirtyError::NotARepository { root } } else { DirtyError::Failed { root, message } }
    }
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}
