//! GitHub workflow commands: each finding becomes an annotation of its line.

use std::io::{self, Write};
use std::path::Path;

use crate::Level;
use crate::Report;
use cowrap_base::files::Columns;

use super::summary::summary_lines;
use super::text::{printable, remarks};

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut columns = Columns::new(&report.tree.root, &report.overlay);
    for finding in &report.findings {
        let command = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let at = &finding.primary.at;
        let column = columns.in_characters(&at.path, at.line, at.column);
        let place = format!("{},line={},col={column}", file(&at.path), at.line);
        let text = [vec![finding.message.clone()], remarks(finding)].concat();
        writeln!(
            out,
            "::{command} {place},title={}::{}",
            property(&format!("cowrap: {}", report.rule_name(finding))),
            data(&text)
        )?;
    }
    for problem in &report.problems {
        let place = match &problem.at {
            Some(at) => format!("{},line={}", file(&at.path), at.line),
            None => file(&problem.file),
        };
        let text = format!("{} was not checked: {}", problem.file.to_string_lossy(), problem.message);
        writeln!(out, "::error {place},title={}::{}", property("cowrap: not checked"), data(&[text]))?;
    }
    for line in summary_lines(&report.summary) {
        writeln!(out, "cowrap: {line}")?;
    }
    Ok(())
}

fn file(path: &Path) -> String {
    format!("file={}", property(&path.to_string_lossy()))
}

/// Lines of text, as they follow the second `::`.
fn data(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| printable(line).replace('%', "%25"));
    lines.collect::<Vec<_>>().join("%0A")
}

/// A text, as the value of a property.
fn property(text: &str) -> String {
    printable(text).replace('%', "%25").replace(':', "%3A").replace(',', "%2C")
}
