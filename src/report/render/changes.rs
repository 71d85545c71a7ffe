//! What appeared and what is gone since the last report, for whoever watches a tree.

use std::io::{self, Write};

use crate::{Changes, Report};

use super::summary::{counts, problem_line, problems};
use super::text::{count, wrap};
use super::{Style, human, short};

/// Writes what changed, and then how many findings the report has now. `time` stands before everything. Findings that
/// appeared are in the form for people or, if `is_short`, in one line each, as are those that are gone.
pub fn render_changes(
    report: &Report,
    changes: &Changes,
    time: &str,
    is_short: bool,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Changes { appeared, gone, new_problems, solved_problems } = changes;
    let say = |text: &str, out: &mut dyn Write| match is_short {
        true => writeln!(out, "cowrap: {text}"),
        false => writeln!(out, "{}", wrap(text, style.width, 0, "  ")),
    };
    say(&format!("{time}: {}", what_changed(changes)), out)?;
    match is_short {
        true => appeared.iter().try_for_each(|finding| writeln!(out, "{}", short::line(report, finding)))?,
        false => human::findings(report, appeared, style, out)?,
    }
    gone.iter().try_for_each(|finding| writeln!(out, "gone: {}", short::line(report, finding)))?;
    problems(new_problems, false, out)?;
    solved_problems.iter().try_for_each(|problem| writeln!(out, "gone: {}", problem_line(problem)))?;
    let not_checked = match report.problems.len() {
        0 => String::new(),
        units => format!(", {} not checked", count(units, "translation unit")),
    };
    say(&format!("{}{not_checked}", counts(&report.summary)), out)
}

/// What changed, in a few words.
fn what_changed(changes: &Changes) -> String {
    let Changes { appeared, gone, new_problems, solved_problems } = changes;
    let mut parts = Vec::new();
    if !appeared.is_empty() || !gone.is_empty() {
        parts.push(format!("{} appeared, {} gone", count(appeared.len(), "finding"), gone.len()));
    }
    if !new_problems.is_empty() || !solved_problems.is_empty() {
        parts.push(format!("{} appeared, {} gone", count(new_problems.len(), "problem"), solved_problems.len()));
    }
    match parts.is_empty() {
        true => "the findings are the same".to_owned(),
        false => parts.join("; "),
    }
}
