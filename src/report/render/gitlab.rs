//! GitLab's Code Quality report. Merge requests show which findings are new and which are gone.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::Report;
use crate::{Finding, Fingerprints, Level};

use super::text::{NOT_CHECKED, printable, write_json};

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut fingerprints = Fingerprints::default();
    let mut issues: Vec<Issue> = report
        .findings
        .iter()
        .map(|finding| Issue {
            description: description(finding),
            check_name: report.rule_name(finding).into_owned(),
            fingerprint: finding.fingerprint.clone(),
            severity: severity(finding.level),
            location: location(&finding.primary.at.path, finding.primary.at.line),
        })
        .collect();
    // A translation unit that was not read is an issue as well: without it, its findings would look
    // fixed.
    for problem in &report.problems {
        let file = problem.file.to_string_lossy();
        let place = problem.at.as_ref();
        issues.push(Issue {
            description: printable(&format!("`{file}` was not checked: {}", problem.message)),
            check_name: NOT_CHECKED.to_owned(),
            fingerprint: fingerprints.of_parts(NOT_CHECKED, None, &file, problem.kind.name(), &[]),
            severity: severity(Level::Error),
            location: place.map_or_else(|| location(&problem.file, 1), |at| location(&at.path, at.line)),
        });
    }
    write_json(&issues, true, out)?;
    writeln!(out)
}

fn description(finding: &Finding) -> String {
    // GitLab shows a description as one line.
    let help = finding.help.iter().map(|help| format!("; {help}"));
    printable(&(finding.message.clone() + &help.collect::<String>()))
}

fn severity(level: Level) -> &'static str {
    match level {
        // GitLab's severities go from `info` to `blocker`: a guest can hang or abort, but not all
        // of the code is useless.
        Level::Error => "critical",
        Level::Warning => "major",
        Level::Note => "info",
    }
}

fn location(path: &Path, line: u32) -> Location {
    Location { path: path.to_string_lossy().into_owned(), lines: Lines { begin: line.max(1) } }
}
