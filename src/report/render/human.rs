//! For people: each finding with the lines of source that it is about.

use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use codespan_reporting::diagnostic::{Diagnostic, Label, LabelStyle, Severity};
use codespan_reporting::files::{Error as FilesError, Files};

use crate::Report;
use crate::{Finding, Level, Span};
use cowrap_base::files::{CountedCharacters, Source, Sources};

use super::cut::CutLines;
use super::excerpt::render_excerpt;
use super::summary::{details, problems, summary_lines};
use super::text::{level_name, location, printable, remarks, wrap};
use super::{Style, short};

/// Writes a report.
pub fn render(report: &Report, style: Style, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    findings(report, &report.findings, style, out)?;
    problems(&report.problems, verbose, out)?;
    details(report, verbose, out)?;
    for line in summary_lines(&report.summary) {
        writeln!(out, "{}", wrap(&line, style.width, 0, "  "))?;
    }
    Ok(())
}

/// Writes findings of a report.
pub fn findings(report: &Report, findings: &[Finding], style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut excerpts = Excerpts::new(report);
    for finding in findings {
        let diagnostic = excerpts.diagnostic(finding, style.width);
        match render_excerpt(&excerpts, &diagnostic, style.color) {
            Ok(text) => out.write_all(&text)?,
            // The source changed, or no excerpt can be shown; the finding matters all the same.
            Err(_) => writeln!(out, "{}", short::line(report, finding))?,
        }
    }
    Ok(())
}

/// How many labels are shown on one line. Each takes a line below it.
const MOST_LABELS: usize = 16;

/// The sources that findings show, in the form that codespan-reporting needs.
struct Excerpts<'r> {
    report: &'r Report,
    sources: Sources<'r>,
    ids: HashMap<std::path::PathBuf, usize>,
    shown: Vec<Shown>,
    /// The files of the diagnostic that have long lines.
    cut: HashMap<usize, CutLines>,
}

/// A source that findings show.
struct Shown {
    name: String,
    source: Arc<Source>,
    counted: CountedCharacters,
}

impl<'r> Excerpts<'r> {
    fn new(report: &'r Report) -> Self {
        Excerpts {
            report,
            sources: Sources::new(&report.tree, &report.overlay),
            ids: HashMap::new(),
            shown: Vec::new(),
            cut: HashMap::new(),
        }
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
        let mut on_line: HashMap<(usize, u32), usize> = HashMap::new();
        let labels = std::iter::once((LabelStyle::Primary, &finding.primary))
            .chain(finding.secondary.iter().map(|label| (LabelStyle::Secondary, label)));
        for (style, label) in labels {
            match self.range(&label.at) {
                Some((id, range)) => {
                    let count = on_line.entry((id, label.at.line)).or_default();
                    *count += 1;
                    if *count > MOST_LABELS {
                        continue;
                    }
                    last_line = last_line.max(label.at.line);
                    diagnostic.labels.push(Label::new(style, id, range).with_message(printable(&label.text)));
                }
                None => notes.push(format!("{}: {}", location(&label.at), label.text)),
            }
        }
        self.cut(&mut diagnostic);
        let mut crowded: Vec<(u32, usize)> = on_line.into_iter().map(|((_, line), count)| (line, count)).collect();
        crowded.retain(|(_, count)| *count > MOST_LABELS);
        crowded.sort_unstable();
        notes.extend(crowded.iter().map(|(line, count)| format!("note: {} more in line {line}", count - MOST_LABELS)));
        notes.extend(remarks(finding));
        // Notes stand right of the numbers of lines, behind ` = `.
        let column = last_line.to_string().len() + " = ".len();
        let width = width.saturating_sub(column);
        diagnostic.notes = notes.iter().map(|note| wrap(&printable(note), width, 0, "  ")).collect();
        diagnostic
    }

    /// Cuts long lines around the labels of a diagnostic.
    fn cut(&mut self, diagnostic: &mut Diagnostic<usize>) {
        self.cut.clear();
        let mut labels: HashMap<usize, Vec<Range<usize>>> = HashMap::new();
        for label in &diagnostic.labels {
            labels.entry(label.file_id).or_default().push(label.range.clone());
        }
        for (id, labels) in labels {
            let shown = self.shown.get(id);
            self.cut.extend(shown.and_then(|shown| Some((id, CutLines::new(&shown.source, &labels)?))));
        }
        for label in &mut diagnostic.labels {
            if let Some(range) = self.cut.get(&label.file_id).and_then(|cut| cut.label(&label.range)) {
                label.range = range;
            }
        }
    }

    /// A span as an excerpt: the file's number and the bytes of the word there.
    fn range(&mut self, span: &Span) -> Option<(usize, Range<usize>)> {
        let path = self.report.tree.root.join(&span.path);
        let source = self.sources.get(&path)?;
        let start = source.offset(span.line, span.column)?;
        let range = start..start + source.word_length(span.line, span.column).min(source.text().len() - start);
        let id = *self.ids.entry(path).or_insert_with(|| {
            let name = printable(&span.path.to_string_lossy());
            self.shown.push(Shown { name, source, counted: CountedCharacters::default() });
            self.shown.len() - 1
        });
        Some((id, range))
    }

    fn shown(&self, id: usize) -> Result<&Shown, FilesError> {
        self.shown.get(id).ok_or(FilesError::FileMissing)
    }
}

impl<'f> Files<'f> for Excerpts<'_> {
    type FileId = usize;
    type Name = &'f str;
    type Source = &'f str;

    fn name(&'f self, id: usize) -> Result<&'f str, FilesError> {
        Ok(&self.shown(id)?.name)
    }

    fn source(&'f self, id: usize) -> Result<&'f str, FilesError> {
        match self.cut.get(&id) {
            Some(cut) => Ok(cut.text()),
            None => Ok(self.shown(id)?.source.text()),
        }
    }

    fn line_index(&'f self, id: usize, offset: usize) -> Result<usize, FilesError> {
        if let Some(cut) = self.cut.get(&id) {
            return cut.line_index(offset).ok_or(FilesError::FileMissing);
        }
        let starts = self.shown(id)?.source.line_starts();
        Ok(starts.partition_point(|start| *start <= offset).saturating_sub(1))
    }

    fn line_range(&'f self, id: usize, line: usize) -> Result<Range<usize>, FilesError> {
        let source = &self.shown(id)?.source;
        let starts = source.line_starts();
        let too_large = FilesError::LineTooLarge { given: line, max: starts.len() };
        if let Some(cut) = self.cut.get(&id) {
            return cut.line_range(line).ok_or(too_large);
        }
        let start = *starts.get(line).ok_or(too_large)?;
        let end = starts.get(line + 1).copied().unwrap_or(source.text().len());
        Ok(start..end)
    }

    fn column_number(&'f self, id: usize, line: usize, offset: usize) -> Result<usize, FilesError> {
        let shown = self.shown(id)?;
        let offset = match self.cut.get(&id) {
            Some(cut) => cut.whole_offset(offset).ok_or(FilesError::FileMissing)?,
            None => offset,
        };
        let starts = shown.source.line_starts();
        let start = *starts.get(line).ok_or(FilesError::LineTooLarge { given: line, max: starts.len() })?;
        let characters = shown.counted.between(shown.source.text().as_bytes(), start, offset);
        characters.map(|characters| characters + 1).ok_or(FilesError::InvalidCharBoundary { given: offset })
    }
}
