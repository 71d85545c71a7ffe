//! What is wrong with declarations that ask for wrappers, drawn by codespan-reporting.

use std::io::{self, Write};

use codespan_reporting::diagnostic::{Diagnostic, Label, Severity};
use codespan_reporting::files::SimpleFiles;
use codespan_reporting::term::termcolor::{Ansi, NoColor};
use codespan_reporting::term::{Config, Styles, StylesWriter, emit_to_write_style};

use crate::driver::Generated;
use crate::source::Source;

use super::printable;

/// Writes the complaints about the headers of one job.
pub fn complaints(generated: &Generated, color: bool, out: &mut dyn Write) -> io::Result<()> {
    if generated.complaints.is_empty() {
        return Ok(());
    }
    let mut files = SimpleFiles::new();
    let ids: Vec<usize> = generated
        .headers
        .iter()
        .map(|(path, text)| {
            let shown = Source::new(text.as_bytes()).text().to_owned();
            files.add(printable(&path.to_string_lossy()), shown)
        })
        .collect();
    let config = Config { before_label_lines: 0, after_label_lines: 0, ..Config::default() };
    let styles = Styles::default();
    for complaint in &generated.complaints {
        let severity = if complaint.is_fatal { Severity::Error } else { Severity::Warning };
        let mut diagnostic = Diagnostic::new(severity).with_message(printable(&complaint.message));
        if let Some(span) = &complaint.span {
            let label = Label::primary(ids[complaint.header], span.clone());
            diagnostic.labels.push(label.with_message(printable(&complaint.label)));
        }
        if let Some((header, span, text)) = &complaint.other {
            diagnostic.labels.push(Label::secondary(ids[*header], span.clone()).with_message(printable(text)));
        }
        diagnostic.notes.push(format!("help: {}", printable(&complaint.help)));
        let mut drawn = Vec::new();
        let result = if color {
            let mut writer = StylesWriter::new(Ansi::new(&mut drawn), &styles);
            emit_to_write_style(&mut writer, &config, &files, &diagnostic)
        } else {
            let mut writer = StylesWriter::new(NoColor::new(&mut drawn), &styles);
            emit_to_write_style(&mut writer, &config, &files, &diagnostic)
        };
        match result {
            Ok(()) => out.write_all(&drawn)?,
            // What cannot be drawn must be told all the same.
            Err(_) => writeln!(out, "{}: {}", severity_word(complaint.is_fatal), printable(&complaint.message))?,
        }
    }
    Ok(())
}

fn severity_word(is_fatal: bool) -> &'static str {
    if is_fatal { "error" } else { "warning" }
}
