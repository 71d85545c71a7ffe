//! What is wrong with declarations that ask for wrappers, with excerpts of their headers.

use std::io::{self, Write};

use codespan_reporting::diagnostic::{Diagnostic, Label, Severity};
use codespan_reporting::files::SimpleFiles;

use cowrap_base::diagnostic::TextDiagnostic;
use cowrap_base::files::Source;

use crate::HeaderDiagnostics;

use super::Style;
use super::excerpt::render_excerpt;
use super::text::{printable, wrap};

/// Writes the diagnostics of the headers of one generated file.
pub fn render_header_diagnostics(headers: &HeaderDiagnostics, style: Style, out: &mut dyn Write) -> io::Result<()> {
    if headers.diagnostics.is_empty() {
        return Ok(());
    }
    let mut files = SimpleFiles::new();
    let ids: Vec<usize> = headers
        .headers
        .iter()
        .map(|(path, text)| {
            let shown = Source::new(text.as_bytes()).text().to_owned();
            files.add(printable(&path.to_string_lossy()), shown)
        })
        .collect();
    for header_diagnostic in &headers.diagnostics {
        match render_excerpt(&files, &diagnostic(header_diagnostic, &ids, style.width), style.color) {
            Ok(text) => out.write_all(&text)?,
            // The message matters even where no excerpt can be shown.
            Err(_) => {
                let level = if header_diagnostic.is_error { "error" } else { "warning" };
                writeln!(out, "{level}: {}", printable(&header_diagnostic.message))?;
            }
        }
    }
    Ok(())
}

fn diagnostic(from: &TextDiagnostic, ids: &[usize], width: usize) -> Diagnostic<usize> {
    let (severity, used) =
        if from.is_error { (Severity::Error, "error: ".len()) } else { (Severity::Warning, "warning: ".len()) };
    let message = wrap(&printable(&from.message), width, used, "  ");
    let mut diagnostic = Diagnostic::new(severity).with_message(message);
    if let Some(span) = &from.span {
        let label = Label::primary(ids[from.text], span.clone());
        diagnostic.labels.push(label.with_message(printable(&from.label)));
    }
    if let Some((header, span, text)) = &from.other {
        diagnostic.labels.push(Label::secondary(ids[*header], span.clone()).with_message(printable(text)));
    }
    let help = format!("help: {}", printable(&from.help));
    diagnostic.notes.push(wrap(&help, width, "    = ".len(), ""));
    diagnostic
}
