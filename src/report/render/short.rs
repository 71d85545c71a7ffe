//! One line for each finding: `file:line:col: level: message [rule]`.

use std::io::{self, Write};

use crate::{Finding, Report};

use super::summary::{details, problems, summary_lines};
use super::text::{level_name, location, printable};

/// Writes a report.
pub fn render(report: &Report, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "{}", line(report, finding))?;
    }
    problems(&report.problems, verbose, out)?;
    details(report, verbose, out)?;
    for line in summary_lines(&report.summary) {
        writeln!(out, "cowrap: {line}")?;
    }
    Ok(())
}

/// A finding in one line.
pub fn line(report: &Report, finding: &Finding) -> String {
    let (at, level) = (location(&finding.primary.at), level_name(finding.level));
    format!("{at}: {level}: {} [{}]", printable(&finding.message), report.rule_name(finding))
}
