//! Fixes as a series of patches for `git am`: one for each step, with the findings in its message.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use thiserror::Error;

use cowrap_base::files::{Place, Shown};
use cowrap_base::git::{Git, GitError, user_setting};
use cowrap_fix::{PatchHeader, patch_mail, patch_name};
use cowrap_report::Action;

use crate::fix::{Applied, Fixed, Step};

/// The longest subject that git and mail programs show, with room for `[PATCH 10/12]`.
const MAX_SUBJECT: usize = 72;

/// Why patches cannot be written.
#[derive(Debug, Error)]
pub enum PatchError {
    /// The directory has patches already.
    #[error("{0}: the directory already has patches, which `git am` would apply, too; name an empty directory")]
    NotEmpty(PathBuf),
    /// A file or the directory cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

/// Checks that a directory has no patches, such as those of an earlier run.
///
/// # Errors
///
/// It has some.
pub fn check_patch_directory(directory: &Path) -> Result<(), PatchError> {
    let mut entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    match entries.any(|entry| entry.path().extension().is_some_and(|extension| extension == "patch")) {
        true => Err(PatchError::NotEmpty(directory.to_path_buf())),
        false => Ok(()),
    }
}

/// Writes the patches into a directory, which is created if it does not exist.
///
/// # Errors
///
/// The directory or a file cannot be written.
pub fn write_patches(directory: &Path, fixed: &Fixed) -> Result<(), PatchError> {
    let failed = |path: &Path, source| PatchError::Write { path: path.to_path_buf(), source };
    std::fs::create_dir_all(directory).map_err(|error| failed(directory, error))?;
    let root = &fixed.report.tree.root;
    let git = Git::new(root);
    let name = git_setting(&git, "user.name").unwrap_or_else(|| "cowrap".to_owned());
    let address = git_setting(&git, "user.email").unwrap_or_else(|| "cowrap@localhost".to_owned());
    let date = date();
    for (number, step) in fixed.steps.iter().enumerate() {
        let subject = subject(step);
        let path = directory.join(patch_name(number + 1, &subject));
        let header = PatchHeader {
            name: name.clone(),
            address: address.clone(),
            date: date.clone(),
            subject,
            body: body(step),
            number: number + 1,
            count: fixed.steps.len(),
        };
        let text = patch_mail(&header, &step.changes);
        Place::given(&path).and_then(|place| place.write(&text)).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// The subject of a step's patch.
fn subject(step: &Step) -> String {
    let top = step.top.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let [only] = step.applied.as_slice() else {
        return format!("{top}: fix {} findings of {}", step.applied.len(), step.rule);
    };
    let subject = only.actions.first().map(|action| format!("{top}: {}", describe(action, &only.finding.function)));
    let subject = subject.filter(|subject| subject.chars().count() <= MAX_SUBJECT);
    subject.unwrap_or_else(|| format!("{top}: fix a finding of {}", step.rule))
}

/// An action in the imperative.
fn describe(action: &Action, function: &str) -> String {
    match action {
        Action::MarkFunction { name, mark, .. } | Action::MarkPointer { name, mark, .. } => {
            format!("mark {name} as {mark}")
        }
        Action::Unmark { mark, .. } => format!("remove {mark} from {function}"),
        Action::CallInstead { old, new, .. } => format!("call {new} instead of {old}"),
        Action::DeclareWrapper { target, wrapper, .. } => format!("declare the wrapper {wrapper} of {target}"),
        Action::AddInput { header } => format!("generate the wrappers of {}", header.shown()),
    }
}

/// The message of a step's patch: for each fix the finding, and the calls that make it true.
fn body(step: &Step) -> String {
    let mut paragraphs = Vec::new();
    for Applied { title, finding, .. } in &step.applied {
        let at = &finding.primary.at;
        let mut lines = vec![format!("* {title}"), format!("  {}", finding.message)];
        lines.push(format!("  at {}:{}:{}", at.path.shown(), at.line, at.column));
        for note in &finding.notes {
            let location = note.at.as_ref().map(|at| format!("{}:{}: ", at.path.shown(), at.line)).unwrap_or_default();
            lines.push(format!("    {location}{}", note.text));
        }
        paragraphs.push(lines.join("\n"));
    }
    paragraphs.push(format!("Found by cowrap ({}).", step.rule));
    paragraphs.join("\n\n")
}

/// A value of git's configuration for a tree.
fn git_setting(git: &Result<Git, GitError>, key: &str) -> Option<String> {
    match git {
        Ok(git) => git.setting(key).ok()?,
        Err(GitError::NotARepository { .. }) => user_setting(key),
        // What git must not read says nothing.
        Err(_) => None,
    }
}

/// The current time, or SOURCE_DATE_EPOCH if it is set (reproducible-builds.org).
fn date() -> String {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let time = given.map_or_else(SystemTime::now, |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    httpdate::fmt_http_date(time).replace("GMT", "+0000")
}
