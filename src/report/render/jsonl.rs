//! A line of JSON for each finding and one for the rest, for programs that read line by line.
//! `docs/json.md` describes it.

use std::io::{self, Write};

use crate::Report;

use super::json::Document;

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        serde_json::to_writer(&mut *out, finding)?;
        writeln!(out)?;
    }
    serde_json::to_writer(&mut *out, &Document::without_findings(report))?;
    writeln!(out)
}
