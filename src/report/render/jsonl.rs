//! A line of JSON for each finding and one for the rest, for programs that read line by line.
//! `docs/json.md` describes it.

use std::io::{self, Write};

use super::text::write_json;
use crate::Report;

use super::json::Document;

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        write_json(finding, false, out)?;
        writeln!(out)?;
    }
    write_json(&Document::without_findings(report), false, out)?;
    writeln!(out)
}
