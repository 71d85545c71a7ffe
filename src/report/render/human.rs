//! For people: each finding with the lines of source that it is about.

use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use codespan_reporting::diagnostic::{Diagnostic, Label, LabelStyle, Severity};
use codespan_reporting::files::{Error as FilesError, Files};

use crate::Report;
use crate::{Finding, Level, Span};
use cowrap_base::files::{Source, Sources};

use super::excerpt::render_excerpt;
use super::summary::{details, problems, summary_lines};
use super::text::{level_name, location, printable, remarks, wrap};
use super::{Style, short};

/// Writes a report.
pub fn render(report: &Report, style: Style, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut excerpts = Excerpts::new(report);
    for finding in &report.findings {
        let diagnostic = excerpts.diagnostic(finding, style.width);
        match render_excerpt(&excerpts, &diagnostic, style.color) {
            Ok(text) => out.write_all(&text)?,
            // The source changed, or no excerpt can be shown; the finding matters all the same.
            Err(_) => writeln!(out, "{}", short::line(report, finding))?,
        }
    }
    problems(report, verbose, out)?;
    details(report, verbose, out)?;
    for line in summary_lines(&report.summary) {
        writeln!(out, "{}", wrap(&line, style.width, 0, "  "))?;
    }
    Ok(())
}

/// The sources that findings show, in the form that codespan-reporting needs.
struct Excerpts<'r> {
    report: &'r Report,
    sources: Sources<'r>,
    ids: HashMap<std::path::PathBuf, usize>,
    shown: Vec<(String, Arc<Source>)>,
}

impl<'r> Excerpts<'r> {
    fn new(report: &'r Report) -> Self {
        Excerpts { report, sources: Sources::new(&report.overlay), ids: HashMap::new(), shown: Vec::new() }
    }

    fn diagnostic(&mut self, finding: &Finding, width: usize) -> Diagnostic<usize> {
        let severity = match finding.level {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warning,
            Level::Note => Severity::Note,
        };
        let rule = self.report.rule_name(finding);
        let before = level_name(finding.level).len() + "[]: ".len() + rule.len();
        let mut diagnostic = Diagnostic::new(severity).with_code(rule).with_message(wrap(
            &printable(&finding.message),
            width,
            before,
            "  ",
        ));
        let mut notes = Vec::new();
        let mut last_line = 1;
        let labels = std::iter::once((LabelStyle::Primary, &finding.primary))
            .chain(finding.secondary.iter().map(|label| (LabelStyle::Secondary, label)));
        for (style, label) in labels {
            match self.range(&label.at) {
                Some((id, range)) => {
                    last_line = last_line.max(label.at.line);
                    diagnostic.labels.push(Label::new(style, id, range).with_message(printable(&label.text)));
                }
                None => notes.push(format!("{}: {}", location(&label.at), label.text)),
            }
        }
        notes.extend(remarks(finding));
        // Notes stand right of the numbers of lines, behind ` = `.
        let column = last_line.to_string().len() + " = ".len();
        let width = width.saturating_sub(column);
        diagnostic.notes = notes.iter().map(|note| wrap(&printable(note), width, 0, "  ")).collect();
        diagnostic
    }

    /// A span as an excerpt: the file's number and the bytes of the word there.
    fn range(&mut self, span: &Span) -> Option<(usize, Range<usize>)> {
        let path = self.report.tree.root.join(&span.path);
        let source = self.sources.get(&path)?;
        let start = source.offset(span.line, span.column)?;
        let range = start..start + source.word_length(span.line, span.column).min(source.text().len() - start);
        let id = *self.ids.entry(path).or_insert_with(|| {
            self.shown.push((printable(&span.path.to_string_lossy()), source));
            self.shown.len() - 1
        });
        Some((id, range))
    }

    fn source(&self, id: usize) -> Result<&(String, Arc<Source>), FilesError> {
        self.shown.get(id).ok_or(FilesError::FileMissing)
    }
}

impl<'f> Files<'f> for Excerpts<'_> {
    type FileId = usize;
    type Name = &'f str;
    type Source = &'f str;

    fn name(&'f self, id: usize) -> Result<&'f str, FilesError> {
        Ok(&self.source(id)?.0)
    }

    fn source(&'f self, id: usize) -> Result<&'f str, FilesError> {
        Ok(Excerpts::source(self, id)?.1.text())
    }

    fn line_index(&'f self, id: usize, offset: usize) -> Result<usize, FilesError> {
        let starts = Excerpts::source(self, id)?.1.line_starts();
        Ok(starts.partition_point(|start| *start <= offset).saturating_sub(1))
    }

    fn line_range(&'f self, id: usize, line: usize) -> Result<Range<usize>, FilesError> {
        let source = &Excerpts::source(self, id)?.1;
        let starts = source.line_starts();
        let start = *starts.get(line).ok_or(FilesError::LineTooLarge { given: line, max: starts.len() })?;
        let end = starts.get(line + 1).copied().unwrap_or(source.text().len());
        Ok(start..end)
    }
}
