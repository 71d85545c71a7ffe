//! `cowrap fix`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use cowrap_report::render::{printable_lines, summary_lines};
use cowrap_report::{Level, Safety};
use cowrap_session::{Applied, FixRequest, Fixed, Input, Shown, check_patch_directory, unified_diff, write_patches};

use super::input::InputArguments;
use super::messages::say;
use super::{INCOMPLETE, fail, print, progress};

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
    /// Unsafe fixes can change what the program does: they call wrappers, declare wrappers, or
    /// remove marks.
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
            && let Err(error) = check_patch_directory(directory)
        {
            return fail(&error.to_string());
        }
        let fixed = match cowrap_session::fix(&request, &progress::Bar::new()) {
            Ok(fixed) => fixed,
            Err(error) => return fail(&error.to_string()),
        };
        if self.diff {
            let diff = fixed.changes.iter().map(|change| unified_diff(&change.path, &change.old, &change.new));
            let printed = print(&diff.collect::<Vec<_>>().concat());
            if printed != ExitCode::SUCCESS {
                return printed;
            }
        }
        if let Some(directory) = &self.patches
            && let Err(error) = write_patches(directory, &fixed)
        {
            return fail(&error.to_string());
        }
        let printed = print_summary(&fixed, self.diff || self.patches.is_some());
        if printed != ExitCode::SUCCESS {
            return printed;
        }
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

/// Prints what was fixed, what was not, and which errors remain; to standard error, if standard
/// output has a diff.
fn print_summary(fixed: &Fixed, to_standard_error: bool) -> ExitCode {
    let mut lines = Vec::new();
    for Applied { rule, title, safety, finding, .. } in &fixed.applied {
        let at = &finding.primary.at;
        let risk = if *safety == Safety::Unsafe { " (unsafe)" } else { "" };
        lines.push(format!("{}:{}:{}: fixed{risk}: {title} [{rule}]", at.path.shown(), at.line, at.column));
    }
    for left in &fixed.not_applied {
        let at = &left.at;
        lines.push(format!(
            "{}:{}:{}: not fixed: {} [{}]\n  {}",
            at.path.shown(),
            at.line,
            at.column,
            left.title,
            left.rule,
            left.reason
        ));
    }
    for finding in fixed.report.findings.iter().filter(|finding| finding.level == Level::Error) {
        let at = &finding.primary.at;
        let (path, line, column) = (at.path.shown(), at.line, at.column);
        lines.push(format!("{path}:{line}:{column}: remaining: {} [{}]", finding.message, finding.rule));
    }
    // Whoever sees the exit status must see what it is about.
    for problem in &fixed.report.problems {
        let place = match &problem.at {
            Some(at) => format!("{}:{}:{}", at.path.shown(), at.line, at.column),
            None => problem.file.shown().to_string(),
        };
        lines.push(format!("{place}: not checked: {}", problem.message));
    }
    let [errors, warnings, notes] = fixed.before;
    let after = &fixed.report.summary;
    lines.push(format!(
        "cowrap: {} in {} and {}, {} not applied; \
         errors {errors} -> {}, warnings {warnings} -> {}, notes {notes} -> {}",
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
    match to_standard_error {
        true => {
            say(&text);
            ExitCode::SUCCESS
        }
        false => print(format!("{text}\n").as_bytes()),
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
