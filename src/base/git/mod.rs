//! Git, by running the program `git`: uncommitted files, changes since a revision, and former texts
//! of files.
//!
//! A tree may come from anywhere, and git runs programs that a repository's configuration names.
//! The commands here prevent that: no file system monitor, no hook, no filter, and no fetching for
//! a partial clone. They write nothing to the working tree or the repository. This module must
//! never know C, or findings.

mod changes;
mod dirty;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use thiserror::Error;

use crate::files::normalize;

pub use changes::{Change, Side};
pub use dirty::dirty;

/// Why git cannot answer.
#[derive(Debug, Error)]
pub enum GitError {
    /// The tree is not in a git repository, or git does not accept it as one.
    #[error("{} is not in a git repository, so changes are unknown", root.display())]
    NotARepository {
        /// The tree's root.
        root: PathBuf,
    },
    /// git is missing or cannot be started.
    #[error("cannot run `git` in {}: {reason}; install git, or add its directory to PATH", root.display())]
    NoGit {
        /// The tree's root.
        root: PathBuf,
        /// The reason.
        reason: io::Error,
    },
    /// git reported an error.
    #[error("git failed in {}: {message}", root.display())]
    Failed {
        /// The tree's root.
        root: PathBuf,
        /// git's message, in one line.
        message: String,
    },
}

/// How many paths one command gets; far below any system's limit.
const PATHS_AT_ONCE: usize = 250;

/// Variables that would point git at another repository, as in a hook.
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

/// Access to the repository of one tree.
#[derive(Debug)]
pub struct Git {
    root: PathBuf,
    /// The top of the working tree; absolute, without symbolic links.
    top: PathBuf,
    /// Options that switch off the configured filters.
    filters_off: Vec<OsString>,
    /// The index to use if it is not the repository's own: `git commit` makes another one for what
    /// it is about to commit, and names it to its hooks.
    index: Option<OsString>,
}

impl Git {
    /// The repository that contains a tree's root.
    pub fn new(root: &Path) -> Result<Git, GitError> {
        let index = std::env::var_os("GIT_INDEX_FILE").and_then(|index| std::path::absolute(index).ok());
        let index = index.map(PathBuf::into_os_string);
        let mut git = Git { root: root.to_path_buf(), top: PathBuf::new(), filters_off: Vec::new(), index };
        let out = git.succeed(&["rev-parse", "--show-toplevel"], &[])?;
        let top = out.strip_suffix(b"\n").unwrap_or(&out);
        let top = Path::new(OsStr::from_bytes(top));
        git.top = top.canonicalize().unwrap_or_else(|_| normalize(top));

        let pattern = r"^filter\..*\.(clean|process|required)$";
        let out = git.run(&["config", "--null", "--name-only", "--get-regexp", pattern], &[], None)?;
        // Status 1 means that there are none.
        if !matches!(out.status.code(), Some(0 | 1)) {
            return Err(git.failure(&out));
        }
        for name in out.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            // Unlike `-c`, this option permits names with `=`.
            let mut option = OsString::from("--config-env=");
            option.push(OsStr::from_bytes(name));
            option.push(if name.ends_with(b".required") { "=COWRAP_FALSE" } else { "=COWRAP_EMPTY" });
            git.filters_off.push(option);
        }
        Ok(git)
    }

    /// The real path of a file relative to the top; `None` when it is outside.
    fn place(&self, path: &Path) -> Option<PathBuf> {
        let path = self.root.join(path);
        let real = path.canonicalize().or_else(|_| std::path::absolute(&path).map(|path| normalize(&path))).ok()?;
        real.strip_prefix(&self.top).map(Path::to_path_buf).ok()
    }

    fn succeed(&self, arguments: &[&str], paths: &[&Path]) -> Result<Vec<u8>, GitError> {
        let out = self.run(arguments, paths, None)?;
        if out.status.success() { Ok(out.stdout) } else { Err(self.failure(&out)) }
    }

    fn run(&self, arguments: &[&str], paths: &[&Path], input: Option<File>) -> Result<Output, GitError> {
        let mut command = Command::new("git");
        command.current_dir(if self.top.as_os_str().is_empty() { &self.root } else { &self.top });
        for variable in REDIRECTING {
            command.env_remove(variable);
        }
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        // No lock on the index, which would also run a hook; no fetching; messages in one language.
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
        command.env("LC_ALL", "C").env("COWRAP_EMPTY", "").env("COWRAP_FALSE", "false");
        command.args(["--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false"]);
        command.args(["-c", "core.hooksPath=/dev/null"]).args(&self.filters_off).args(arguments);
        if !paths.is_empty() {
            command.arg("--").args(paths);
        }
        command.stdin(input.map_or_else(Stdio::null, Stdio::from));
        command.output().map_err(|reason| GitError::NoGit { root: self.root.clone(), reason })
    }

    fn failure(&self, out: &Output) -> GitError {
        let message = String::from_utf8_lossy(&out.stderr).trim().replace('\n', "; ");
        // git says the second inside of `.git`, and in a repository without a working tree.
        let is_outside =
            ["not a git repository", "must be run in a work tree"].iter().any(|said| message.contains(said));
        match is_outside {
            true => GitError::NotARepository { root: self.root.clone() },
            false => self.failed(message),
        }
    }

    fn failed(&self, message: String) -> GitError {
        GitError::Failed { root: self.root.clone(), message }
    }
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}
