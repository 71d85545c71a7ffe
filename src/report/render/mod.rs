//! Reports and answers as text: one file for each format.
//!
//! It must never know the program, or exit statuses. `codespan-reporting` and `ariadne` are used
//! here alone: the first in `excerpt`, the second in `witness`, which say why there are two.

// The formats of a report, in the order in which `Format` lists them.
mod human;
mod short;
mod changes;

mod json;
mod jsonl;

mod checkstyle;
mod github;
mod gitlab;
mod junit;
mod sarif;

mod html;

// What generators say of headers.
mod header_diagnostics;

// What the entries of packs match.
mod pack_check;

// Answers to queries, and the formats of a graph.
mod answer;

mod dot;
mod graph_page;

// What several formats share.
mod browser;
mod cut;
mod excerpt;
mod summary;
mod text;
mod witness;
mod xml;

use std::io::{self, Write};

pub use answer::{AnswerFormat, render_answer};
pub use changes::render_changes;
pub use header_diagnostics::render_header_diagnostics;
pub use pack_check::{render_pack_check, render_pack_check_json};
pub use summary::summary_lines;
pub use text::{level_name, printable_lines};

use crate::Report;

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
    /// A page for a browser.
    Html,
}

/// How text for people looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether it has colours, as escape sequences.
    pub color: bool,
    /// Prose is wrapped at so many characters; excerpts of sources are as wide as their lines.
    pub width: usize,
}

impl Style {
    /// The width for text that goes to no terminal.
    pub const DEFAULT_WIDTH: usize = 100;

    /// For text that goes to no terminal.
    pub const PLAIN: Style = Style { color: false, width: Style::DEFAULT_WIDTH };
}

/// Writes a report. `style` matters to [`Format::Human`] alone; `verbose` adds details and every
/// failed unit to formats for people.
pub fn render(report: &Report, format: Format, style: Style, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human::render(report, style, verbose, out),
        Format::Short => short::render(report, verbose, out),
        Format::Json => json::render(report, out),
        Format::Jsonl => jsonl::render(report, out),
        Format::Sarif => sarif::render(report, out),
        Format::Gitlab => gitlab::render(report, out),
        Format::Github => github::render(report, out),
        Format::Junit => junit::render(report, out),
        Format::Checkstyle => checkstyle::render(report, out),
        Format::Html => html::render(report, out),
    }
}
