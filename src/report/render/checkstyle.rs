//! Checkstyle's XML, which most tools for reviews and editors read.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use crate::Level;
use crate::Report;
use cowrap_base::files::Columns;

use super::text::NOT_CHECKED;
use super::xml::{DECLARATION, escape};

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut columns = Columns::new(&report.tree.root, &report.overlay);
    // Each file is named once.
    let mut files: BTreeMap<&Path, Vec<String>> = BTreeMap::new();
    for finding in &report.findings {
        let at = &finding.primary.at;
        let column = columns.in_characters(&at.path, at.line, at.column);
        let place = format!("line=\"{}\" column=\"{column}\"", at.line);
        let severity = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "info",
        };
        files.entry(&at.path).or_default().push(entry(&place, severity, &finding.message, &report.rule_name(finding)));
    }
    for problem in &report.problems {
        let (path, line) = match &problem.at {
            Some(at) => (&at.path, at.line),
            None => (&problem.file, 1),
        };
        let message = format!("{} was not checked: {}", problem.file.to_string_lossy(), problem.message);
        let entry = entry(&format!("line=\"{line}\""), "error", &message, NOT_CHECKED);
        files.entry(path).or_default().push(entry);
    }
    writeln!(out, "{DECLARATION}\n<checkstyle version=\"8.0\">")?;
    for (path, entries) in files {
        writeln!(out, "<file name=\"{}\">", escape(&path.to_string_lossy()))?;
        entries.iter().try_for_each(|entry| writeln!(out, "{entry}"))?;
        writeln!(out, "</file>")?;
    }
    writeln!(out, "</checkstyle>")
}

fn entry(place: &str, severity: &str, message: &str, source: &str) -> String {
    let (message, source) = (escape(message), escape(source));
    format!("<error {place} severity=\"{severity}\" message=\"{message}\" source=\"cowrap.{source}\"/>")
}
