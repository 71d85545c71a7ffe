//! For people: each finding with the lines of source that it is about, drawn by codespan-reporting.

use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use codespan_reporting::diagnostic::{Diagnostic, Label, LabelStyle, Severity};
use codespan_reporting::files::{Error as FilesError, Files};

use crate::Report;
use crate::{Finding, Level, Span};
use cowrap_base::files::{Source, Sources};

use super::draw::draw;
use super::{at, coverage, printable, short};

/// Writes a report.
pub fn render(report: &Report, color: bool, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut excerpts = Excerpts::new(report);
    for finding in &report.findings {
        let diagnostic = excerpts.diagnostic(finding);
        match draw(&excerpts, &diagnostic, color) {
            Ok(drawn) => out.write_all(&drawn)?,
            // The source changed or cannot be drawn; the finding must be told all the same.
            Err(_) => writeln!(
                out,
                "{}: {}: {} [{}]",
                at(&finding.primary.at),
                short::level(finding.level),
                printable(&finding.message),
                finding.rule
            )?,
        }
    }
    short::problems(report, verbose, out)?;
    short::details(report, verbose, out)?;
    for line in coverage(&report.summary) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The sources that findings show, as codespan-reporting asks for them.
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

    fn diagnostic(&mut self, finding: &Finding) -> Diagnostic<usize> {
        let severity = match finding.level {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warning,
            Level::Note => Severity::Note,
        };
        let mut diagnostic =
            Diagnostic::new(severity).with_code(&finding.rule).with_message(printable(&finding.message));
        let labels = std::iter::once((LabelStyle::Primary, &finding.primary))
            .chain(finding.secondary.iter().map(|label| (LabelStyle::Secondary, label)));
        for (style, label) in labels {
            match self.range(&label.at) {
                Some((id, range)) => {
                    diagnostic.labels.push(Label::new(style, id, range).with_message(printable(&label.text)));
                }
                None => diagnostic.notes.push(format!("{}: {}", at(&label.at), printable(&label.text))),
            }
        }
        for crate::Note { text, at: place } in &finding.notes {
            diagnostic.notes.push(match place {
                Some(place) => format!("note: {}: {}", at(place), printable(text)),
                None => format!("note: {}", printable(text)),
            });
        }
        diagnostic.notes.extend(finding.help.iter().map(|help| format!("help: {}", printable(help))));
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
