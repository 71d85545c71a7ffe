//! Git, by running the program `git`: uncommitted files, changes since a revision, and former texts
//! of files.
//!
//! A tree may come from anywhere, and git runs programs that a repository's configuration names.
//! The commands here prevent that: no file system monitor, no hook, no filter, and no fetching for
//! a partial clone. They read no file that the repository's configuration names elsewhere, they
//! have a time limit, and they write nothing to the working tree or the repository. The user's own
//! configuration counts, as for `safe.directory`. This module must never know C, or findings.

mod changes;
pub mod config;
mod dirty;
pub mod output;
mod process;
mod repository;
mod tracked;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use thiserror::Error;

use crate::files::{Shown, normalize};

use self::process::Failure;
use self::repository::Repository;

pub use changes::{Change, Side};
pub use dirty::dirty;
pub use tracked::is_tracked;

/// Why git cannot answer.
#[derive(Debug, Error)]
pub enum GitError {
    /// The tree is not in a git repository.
    #[error("{} is not in a git repository, so changes are unknown", root.shown())]
    NotARepository {
        /// The tree's root.
        root: PathBuf,
    },
    /// git is missing or cannot be started.
    #[error("cannot run `git` in {}: {reason}; install git, or add its directory to PATH", root.shown())]
    NoGit {
        /// The tree's root.
        root: PathBuf,
        /// The reason.
        reason: io::Error,
    },
    /// A file that git would read cannot be read, or is no regular file.
    #[error("cannot read {}: {reason}; git is not started", path.shown())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: io::Error,
    },
    /// The repository has something that git must not read.
    #[error("{} {why}; git is not started; {help}", path.shown())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What it is or has, as a clause.
        why: String,
        /// What to do.
        help: &'static str,
    },
    /// git did not end in time.
    #[error(
        "`git {command}` in {} did not end in {} seconds, and was stopped; run it there to see what it waits for",
        root.shown(), longest.as_secs()
    )]
    TooSlow {
        /// The tree's root.
        root: PathBuf,
        /// The command's name.
        command: String,
        /// The limit.
        longest: Duration,
    },
    /// git reported an error.
    #[error("git failed in {}: {message}", root.shown())]
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
    /// The program.
    program: PathBuf,
    repository: Repository,
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
        let program = process::find("git").map_err(|reason| GitError::NoGit { root: root.to_path_buf(), reason })?;
        let repository = Repository::find(root)?;
        let filters_off = Vec::new();
        let mut git = Git { root: root.to_path_buf(), top: PathBuf::new(), program, repository, filters_off, index };
        let out = git.succeed(&["rev-parse", "--show-toplevel"], &[])?;
        let top = out.strip_suffix(b"\n").unwrap_or(&out);
        let top = Path::new(OsStr::from_bytes(top));
        git.top = top.canonicalize().unwrap_or_else(|_| normalize(top));
        if git.top != git.repository.top {
            let why = format!("is not the repository that git takes; that has its working tree in {}", git.top.shown());
            let help = "repair or remove it, and remove `core.worktree` from its configuration";
            return Err(GitError::Refused { path: git.repository.top.join(".git"), why, help });
        }

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

    /// A value of the configuration, such as that of `user.name`; `None` if it is not set.
    ///
    /// # Errors
    ///
    /// git cannot answer.
    pub fn setting(&self, key: &str) -> Result<Option<String>, GitError> {
        let out = self.run(&["config", "--get", key], &[], None)?;
        Ok(value_of(&out))
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
        let mut command = Command::new(&self.program);
        command.current_dir(if self.top.as_os_str().is_empty() { &self.root } else { &self.top });
        for variable in REDIRECTING {
            command.env_remove(variable);
        }
        if let Some(index) = &self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        // No lock on the index, which would also run a hook; no fetching; messages in one language.
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
        // No other object in place of a named one.
        command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_GRAFT_FILE", "/dev/null/none");
        command.env("LC_ALL", "C").env("COWRAP_EMPTY", "").env("COWRAP_FALSE", "false");
        command.args(["--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false"]);
        command.args(["-c", "core.hooksPath=/dev/null", "-c", "safe.bareRepository=explicit"]);
        // An order of files is of no use, and it is read from a file of any kind.
        command.args(["-c", "diff.orderFile=/dev/null"]);
        for setting in &self.repository.switched_off {
            command.args(["-c", setting]);
        }
        command.args(&self.filters_off).args(arguments);
        if !paths.is_empty() {
            command.arg("--").args(paths);
        }
        command.stdin(input.map_or_else(Stdio::null, Stdio::from));
        process::run(command, process::LONGEST, process::MOST).map_err(|failure| match failure {
            Failure::System(reason) => GitError::NoGit { root: self.root.clone(), reason },
            Failure::TooSlow => GitError::TooSlow {
                root: self.root.clone(),
                command: arguments.first().copied().unwrap_or_default().to_owned(),
                longest: process::LONGEST,
            },
            Failure::TooMuch => self.failed(format!("it wrote more than {} bytes", process::MOST)),
        })
    }

    fn failure(&self, out: &Output) -> GitError {
        self.failed(String::from_utf8_lossy(&out.stderr).trim().replace('\n', "; "))
    }

    fn failed(&self, message: String) -> GitError {
        GitError::Failed { root: self.root.clone(), message }
    }
}

/// A value of the user's own configuration, which counts where there is no repository; `None` if it is
/// not set, or git cannot answer.
pub fn user_setting(key: &str) -> Option<String> {
    let mut command = Command::new(process::find("git").ok()?);
    for variable in REDIRECTING {
        command.env_remove(variable);
    }
    command.current_dir("/").args(["config", "--global", "--get", key]).stdin(Stdio::null());
    value_of(&process::run(command, process::LONGEST, process::MOST).ok()?)
}

/// What `git config` printed, if there is such a value.
fn value_of(out: &Output) -> Option<String> {
    let value = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    Some(value).filter(|value| out.status.success() && !value.is_empty())
}
