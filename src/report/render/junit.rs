//! JUnit's XML: each finding is a test that failed, for services that show tests.

use std::collections::HashMap;
use std::io::{self, Write};

use crate::Finding;
use crate::Report;

use super::text::{NOT_CHECKED, level_name, location, remarks};
use super::xml::{DECLARATION, escape};

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (failures, errors) = (report.findings.len(), report.problems.len());
    let numbers = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", (failures + errors).max(1));
    writeln!(out, "{DECLARATION}\n<testsuites name=\"cowrap\" {numbers}>\n<testsuite name=\"cowrap\" {numbers}>")?;
    let mut names = Names::default();
    for finding in &report.findings {
        let path = finding.primary.at.path.to_string_lossy();
        let name = names.unique(format!("{path}: {}", identity(finding)));
        start(&report.rule_name(finding), &name, &path, Some(finding.primary.at.line), out)?;
        let (message, level) = (escape(&finding.message), level_name(finding.level));
        writeln!(out, "<failure message=\"{message}\" type=\"{level}\">{}</failure>", body(finding))?;
        writeln!(out, "</testcase>")?;
    }
    for problem in &report.problems {
        let path = problem.file.to_string_lossy();
        let name = names.unique(path.to_string());
        start(NOT_CHECKED, &name, &path, problem.at.as_ref().map(|at| at.line), out)?;
        let place = problem.at.as_ref().map_or_else(|| path.to_string(), location);
        let body = escape(&format!("{place}: {}", problem.message));
        writeln!(out, "<error message=\"{}\" type=\"{NOT_CHECKED}\">{body}</error>", escape(&problem.message))?;
        writeln!(out, "</testcase>")?;
    }
    if failures + errors == 0 {
        writeln!(out, "<testcase classname=\"cowrap\" name=\"no finding\"/>")?;
    }
    writeln!(out, "</testsuite>\n</testsuites>")
}

fn start(class: &str, name: &str, path: &str, line: Option<u32>, out: &mut dyn Write) -> io::Result<()> {
    let line = line.map_or_else(String::new, |line| format!(" line=\"{line}\""));
    let (class, name, path) = (escape(class), escape(name), escape(path));
    writeln!(out, "<testcase classname=\"{class}\" name=\"{name}\" file=\"{path}\"{line}>")
}

/// The names that identify a finding, each once.
fn identity(finding: &Finding) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in std::iter::once(&finding.function).chain(finding.subjects.iter().map(|subject| &subject.name)) {
        if !name.is_empty() && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// Everything that a finding says, one line each.
fn body(finding: &Finding) -> String {
    let labels = std::iter::once(&finding.primary).chain(&finding.secondary);
    let mut lines: Vec<String> = labels.map(|label| format!("{}: {}", location(&label.at), label.text)).collect();
    lines.extend(remarks(finding));
    lines.iter().map(|line| escape(line)).collect::<Vec<_>>().join("\n")
}

/// The names of tests. They have no line numbers, so that a test keeps its name when code moves;
/// and they are unique, since services treat tests with equal names as one.
#[derive(Default)]
struct Names {
    seen: HashMap<String, u32>,
}

impl Names {
    fn unique(&mut self, name: String) -> String {
        let times = self.seen.entry(name.clone()).or_default();
        *times += 1;
        if *times == 1 { name } else { format!("{name} ({times})") }
    }
}
