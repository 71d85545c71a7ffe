//! Reports as text: one file for each format.
//!
//! It must never know the program, or exit statuses. `codespan-reporting` and `ariadne` are used here alone.

mod answer;
mod checkstyle;
mod dot;
mod draw;
mod github;
mod gitlab;
mod header;
mod human;
mod json;
mod jsonl;
mod junit;
mod page;
mod sarif;
mod short;
mod xml;

use std::io::{self, Write};

pub use answer::{AnswerFormat, render_answer};
pub use header::render_header_diagnostics;

use crate::{Comparison, Problem, Report, Summary};
use crate::{Finding, Span};
use cowrap_base::files;

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Excerpts of the source with labels, for people.
    Human,
    /// One line for each finding, for editors and logs.
    Short,
    /// One JSON document, for programs.
    Json,
    /// A line of JSON for each finding, for programs.
    Jsonl,
    /// SARIF 2.1.0.
    Sarif,
    /// GitLab's Code Quality report.
    Gitlab,
    /// GitHub's workflow commands.
    Github,
    /// JUnit's XML.
    Junit,
    /// Checkstyle's XML.
    Checkstyle,
}

/// The name under which units that could not be read are told among findings, where others have the name of a rule.
const NOT_CHECKED: &str = "not-checked";

/// Writes a report. `verbose` adds what was found where, and every failed unit.
pub fn render(report: &Report, format: Format, color: bool, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human::render(report, color, verbose, out),
        Format::Short => short::render(report, verbose, out),
        Format::Json => json::render(report, out),
        Format::Jsonl => jsonl::render(report, out),
        Format::Sarif => sarif::render(report, out),
        Format::Gitlab => gitlab::render(report, out),
        Format::Github => github::render(report, out),
        Format::Junit => junit::render(report, out),
        Format::Checkstyle => checkstyle::render(report, out),
    }
}

/// What else there is to know about a finding, and what to do: a line for each.
fn remarks(finding: &Finding) -> Vec<String> {
    let notes = finding.notes.iter().map(|note| match &note.at {
        Some(place) => format!("note: {}: {}", at(place), note.text),
        None => format!("note: {}", note.text),
    });
    notes.chain(finding.help.iter().map(|help| format!("help: {help}"))).collect()
}

/// A place as editors read it.
fn at(span: &Span) -> String {
    format!("{}:{}:{}", printable(&span.path.to_string_lossy()), span.line, span.column)
}

/// Text without characters that change what a terminal shows.
fn printable(text: &str) -> String {
    let escape = |c: char| if files::is_deceptive(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// The same for a text of several lines.
pub fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// Problems with the same cause, in the order of their first: the cause, and all with it.
fn by_cause(problems: &[Problem]) -> Vec<(&Problem, Vec<&Problem>)> {
    let mut groups: Vec<(&Problem, Vec<&Problem>)> = Vec::new();
    for problem in problems {
        let same = |(first, _): &&mut (&Problem, Vec<&Problem>)| {
            first.kind == problem.kind && first.message == problem.message
        };
        match groups.iter_mut().find(same) {
            Some((_, group)) => group.push(problem),
            None => groups.push((problem, vec![problem])),
        }
    }
    groups
}

/// The lines that say what was covered.
pub fn coverage(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    if !summary.other_languages.is_empty() {
        let others: Vec<String> =
            summary.other_languages.iter().map(|(language, count)| format!("{count} {language}")).collect();
        lines.push(format!("not read, since only C is: {}", others.join(", ")));
    }
    if let Some(compared) = &summary.compared {
        lines.extend(news(compared));
    }
    let unknown = &summary.unknown;
    lines.push(format!(
        "{} coroutine only functions, entered from outside through {} generated wrappers and {} created coroutines",
        summary.coroutine_only, summary.wrappers, summary.creations
    ));
    let mut unknowns = vec![
        format!("{} through pointers", count(unknown.pointer_calls, "call")),
        count(unknown.unresolved_calls, "unresolved call"),
        if unknown.bodies == 1 { "1 body".to_owned() } else { format!("{} bodies", unknown.bodies) },
    ];
    if unknown.generated_files > 0 {
        unknowns.push(count(unknown.generated_files, "generated file"));
    }
    lines.push(format!(
        "{} ({} failed), {}, {}: {}, {}, {}; unknown: {}",
        count(summary.units, "unit"),
        summary.failed_units,
        count(summary.functions, "function"),
        count(summary.calls, "call"),
        count(summary.errors, "error"),
        count(summary.warnings, "warning"),
        count(summary.notes, "note"),
        unknowns.join(", "),
    ));
    lines
}

/// The lines that say what was compared with.
fn news(compared: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((file, known)) = &compared.baseline {
        lines.push(format!("not shown: {} of the baseline {}", count(*known, "finding"), printable(file)));
    }
    if !compared.not_read.is_empty() {
        let files: Vec<String> = compared.not_read.iter().map(|file| printable(file)).collect();
        lines.push(format!("not checked, since no unit of the build reads it: {}", files.join(", ")));
    }
    let Some(since) = &compared.since else { return lines };
    let since = printable(since);
    lines.push(match &compared.by_lines {
        None => format!("compared with {since}: {} there before, not shown", count(compared.known, "finding")),
        Some(reason) => format!(
            "compared with {since} by changed lines alone, since {}: {} not on them, not shown",
            printable(reason),
            count(compared.known, "finding")
        ),
    });
    lines
}

fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}
