//! `cowrap fix`.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};

use clap::Args;

use cowrap_base::files::write_whole;
use cowrap_fix::{Mail, patch_mail, patch_name, unified};
use cowrap_report::render::{printable_lines, summary_lines};
use cowrap_report::{Level, Safety};
use cowrap_session::{Applied, FixRequest, Fixed, Input, Step};

use super::input::InputArguments;
use super::{INCOMPLETE, fail, progress};

#[derive(Debug, Args)]
#[command(
    after_help = "cowrap checks its changes before it writes any: it reads the changed files and everything that \
    includes them again, and withdraws fixes that cause a new finding or a compiler error.\n\n\
    Exit status:\n  0  no errors remain\n  1  errors remain\n  2  analysis failed or is incomplete"
)]
pub(super) struct Fix {
    /// Fix findings in these files and directories only; before `--`: the C files to fix
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Compiler flags for single C files, instead of a compilation database
    #[arg(last = true, value_name = "FLAGS")]
    flags: Vec<OsString>,

    /// Print the changes as a unified diff, and write nothing
    #[arg(long)]
    diff: bool,

    /// Write the changes as patches for `git am` to DIR, one per rule and top-level directory
    #[arg(long, value_name = "DIR", conflicts_with = "diff")]
    patches: Option<PathBuf>,

    /// Fix findings of these rules only, separated by commas; enables opt-in rules
    #[arg(long = "rule", value_name = "RULE", value_delimiter = ',')]
    rules: Vec<String>,

    /// Also apply unsafe fixes
    ///
    /// Unsafe fixes can change what the program does: they call wrappers, declare wrappers, or remove marks.
    #[arg(long)]
    unsafe_fixes: bool,

    /// Change files even if they have uncommitted changes
    #[arg(long)]
    allow_dirty: bool,

    /// Maximum number of rounds; each fixes what the round before made fixable
    #[arg(long, value_name = "N", default_value_t = 10)]
    max_rounds: usize,

    /// Do not fail if translation units cannot be read
    #[arg(long)]
    allow_incomplete: bool,

    #[command(flatten)]
    input: InputArguments,

    /// Headers that the wrapper generator reads, separated by commas [default: found in the build]
    #[arg(long = "inputs", help_heading = "Input", value_name = "HEADER", value_delimiter = ',')]
    inputs: Vec<PathBuf>,
}

impl Fix {
    pub(super) fn run(self, has_flags: bool) -> ExitCode {
        let request = match self.request(has_flags) {
            Ok(request) => request,
            Err(message) => return fail(&message),
        };
        if let Some(directory) = &self.patches
            && has_patches(directory)
        {
            let message = "the directory already has patches, which `git am` would apply, too; use an empty directory";
            return fail(&format!("{}: {message}", directory.display()));
        }
        let fixed = match cowrap_session::fix(&request, &progress::Bar::new()) {
            Ok(fixed) => fixed,
            Err(error) => return fail(&error.to_string()),
        };
        if self.diff {
            let mut out = std::io::stdout().lock();
            for change in &fixed.changes {
                match out.write_all(&unified(&change.path, &change.old, &change.new)) {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => break,
                    Err(error) => return fail(&format!("cannot write the diff: {error}")),
                }
            }
        }
        if let Some(directory) = &self.patches
            && let Err(message) = write_patches(directory, &fixed)
        {
            return fail(&message);
        }
        print_summary(&fixed, self.diff || self.patches.is_some());
        if !fixed.report.problems.is_empty() && !self.allow_incomplete {
            return ExitCode::from(INCOMPLETE);
        }
        ExitCode::from(u8::from(fixed.report.summary.errors > 0))
    }

    fn request(&self, has_flags: bool) -> Result<FixRequest, String> {
        let mut check = self.input.request()?;
        check.inputs = self.inputs.clone();
        if has_flags {
            if self.input.is_given() {
                return Err("use only one of -p, --index and compiler flags after `--`".to_owned());
            }
            if self.paths.is_empty() {
                return Err("name the C files to fix before `--`".to_owned());
            }
            check.input = Input::Files { files: self.paths.clone(), flags: self.flags.clone() };
            check.report_on.clear();
        } else {
            check.report_on = if self.paths.is_empty() { check.report_on } else { self.paths.clone() };
        }
        Ok(FixRequest {
            check,
            rules: self.rules.clone(),
            with_unsafe: self.unsafe_fixes,
            allow_dirty: self.allow_dirty,
            max_rounds: self.max_rounds,
            write: !self.diff && self.patches.is_none(),
        })
    }
}

/// Prints what was fixed, what was not, and which errors remain; to standard error, if standard output has a diff.
fn print_summary(fixed: &Fixed, to_standard_error: bool) {
    let mut lines = Vec::new();
    for Applied { rule, title, safety, finding } in &fixed.applied {
        let at = &finding.primary.at;
        let risk = if *safety == Safety::Unsafe { " (unsafe)" } else { "" };
        lines.push(format!("{}:{}:{}: fixed{risk}: {title} [{rule}]", at.path.display(), at.line, at.column));
    }
    for left in &fixed.not_applied {
        let at = &left.at;
        lines.push(format!(
            "{}:{}:{}: not fixed: {} [{}]\n  {}",
            at.path.display(),
            at.line,
            at.column,
            left.title,
            left.rule,
            left.reason
        ));
    }
    for finding in fixed.report.findings.iter().filter(|finding| finding.level == Level::Error) {
        let at = &finding.primary.at;
        let (path, line, column) = (at.path.display(), at.line, at.column);
        lines.push(format!("{path}:{line}:{column}: remaining: {} [{}]", finding.message, finding.rule));
    }
    let [errors, warnings, notes] = fixed.before;
    let after = &fixed.report.summary;
    lines.push(format!(
        "cowrap: {} in {} and {}, {} not applied; errors {errors} -> {}, warnings {warnings} -> {}, notes {notes} -> {}",
        count(fixed.applied.len(), "fix", "fixes"),
        count(fixed.changes.len(), "file", "files"),
        count(fixed.rounds, "round", "rounds"),
        fixed.not_applied.len(),
        after.errors,
        after.warnings,
        after.notes
    ));
    lines.extend(summary_lines(after).into_iter().map(|line| format!("cowrap: {line}")));
    let text = printable_lines(&lines.join("\n"));
    // Without a reader, the exit status is what counts.
    let _ = match to_standard_error {
        true => writeln!(std::io::stderr(), "{text}"),
        false => writeln!(std::io::stdout(), "{text}"),
    };
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Whether there are patches in a directory: of an earlier run, it may be.
fn has_patches(directory: &Path) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().extension().is_some_and(|extension| extension == "patch"))
}

/// Writes the patches into a directory, which is made when it is not there.
fn write_patches(directory: &Path, fixed: &Fixed) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("cannot write {}: {error}", path.display());
    std::fs::create_dir_all(directory).map_err(|error| failed(directory, error))?;
    let root = &fixed.report.tree.root;
    let (name, address) = (author(root, "user.name", "cowrap"), author(root, "user.email", "cowrap@localhost"));
    let date = date();
    for (number, step) in fixed.steps.iter().enumerate() {
        let (subject, body) = letter(step);
        let mail = Mail {
            name: name.clone(),
            address: address.clone(),
            date: date.clone(),
            subject: subject.clone(),
            body,
            number: number + 1,
            count: fixed.steps.len(),
        };
        let path = directory.join(patch_name(number + 1, &subject));
        write_whole(&path, &patch_mail(&mail, &step.changes)).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// What git and people show of a subject, with room for `[PATCH 10/12]`.
const LONGEST_SUBJECT: usize = 72;

/// What a patch says of itself: the reasons, and the calls that make them true.
fn letter(step: &Step) -> (String, String) {
    let top = step.top.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let [only] = step.applied.as_slice() else {
        let subject = format!("{top}: fix {} findings of {}", step.applied.len(), step.rule);
        return (subject, body(step));
    };
    // What is obliged is in the body.
    let order = only.title.split(", and with it").next().unwrap_or_default().replace('`', "");
    let subject = format!("{top}: {order}");
    match subject.chars().count() > LONGEST_SUBJECT {
        true => (format!("{top}: fix a finding of {}", step.rule), body(step)),
        false => (subject, body(step)),
    }
}

fn body(step: &Step) -> String {
    let mut paragraphs = Vec::new();
    for Applied { title, finding, .. } in &step.applied {
        let at = &finding.primary.at;
        let mut lines = vec![format!("* {title}"), format!("  {}", finding.message)];
        lines.push(format!("  at {}:{}:{}", at.path.display(), at.line, at.column));
        for note in &finding.notes {
            let place = note.at.as_ref().map(|at| format!("{}:{}: ", at.path.display(), at.line)).unwrap_or_default();
            lines.push(format!("    {place}{}", note.text));
        }
        paragraphs.push(lines.join("\n"));
    }
    paragraphs.push(format!("Found by cowrap ({}).", step.rule));
    paragraphs.join("\n\n")
}

/// Whom git takes for the author in this repository.
fn author(root: &Path, key: &str, otherwise: &str) -> String {
    let output = Command::new("git").arg("-C").arg(root).args(["config", "--get", key]).output();
    let name = output.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| otherwise.to_owned())
}

/// Now, or what SOURCE_DATE_EPOCH says it is (reproducible-builds.org).
fn date() -> String {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let time = given.map_or_else(SystemTime::now, |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    httpdate::fmt_http_date(time).replace("GMT", "+0000")
}
