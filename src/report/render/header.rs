//! What is wrong with declarations that ask for wrappers, drawn by codespan-reporting.

use std::io::{self, Write};

use codespan_reporting::diagnostic::{Diagnostic, Label, Severity};
use codespan_reporting::files::SimpleFiles;

use crate::HeaderDiagnostics;
use cowrap_base::files::Source;

use super::draw::draw;
use super::printable;

/// Writes the diagnostics of the headers of one job.
pub fn render_header_diagnostics(generated: &HeaderDiagnostics, color: bool, out: &mut dyn Write) -> io::Result<()> {
    if generated.diagnostics.is_empty() {
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
    for problem in &generated.diagnostics {
        let severity = if problem.is_fatal { Severity::Error } else { Severity::Warning };
        let mut diagnostic = Diagnostic::new(severity).with_message(printable(&problem.message));
        if let Some(span) = &problem.span {
            let label = Label::primary(ids[problem.header], span.clone());
            diagnostic.labels.push(label.with_message(printable(&problem.label)));
        }
        if let Some((header, span, text)) = &problem.other {
            diagnostic.labels.push(Label::secondary(ids[*header], span.clone()).with_message(printable(text)));
        }
        diagnostic.notes.push(format!("help: {}", printable(&problem.help)));
        match draw(&files, &diagnostic, color) {
            Ok(drawn) => out.write_all(&drawn)?,
            // What cannot be drawn must be told all the same.
            Err(_) => writeln!(out, "{}: {}", severity_word(problem.is_fatal), printable(&problem.message))?,
        }
    }
    Ok(())
}

fn severity_word(is_fatal: bool) -> &'static str {
    if is_fatal { "error" } else { "warning" }
}
