//! One line for each finding: `file:line:col: level: message [rule]`.

use std::io::{self, Write};
use std::path::Path;

use crate::Level;
use crate::{MarkLocation, Report, SharingStats, UnmatchedCut};

use super::{at, by_cause, coverage, printable, printable_lines};

/// How many of the units with the same problem are named.
const MOST_NAMED: usize = 5;

/// Writes a report.
pub fn render(report: &Report, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        let place = at(&finding.primary.at);
        writeln!(out, "{place}: {}: {} [{}]", level(finding.level), printable(&finding.message), finding.rule)?;
    }
    problems(report, verbose, out)?;
    details(report, verbose, out)?;
    for line in coverage(&report.summary) {
        writeln!(out, "cowrap: {line}")?;
    }
    Ok(())
}

/// A level's word.
pub fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// Every problem once, with the units that have it.
pub fn problems(report: &Report, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for (first, group) in by_cause(&report.problems) {
        let place = first.at.as_ref().map_or_else(|| printable(&first.file.to_string_lossy()), at);
        writeln!(out, "{place}: not checked: {}", printable(&first.message))?;
        let named = if verbose { group.len() } else { MOST_NAMED };
        let mut files: Vec<String> =
            group.iter().take(named).map(|problem| printable(&problem.file.to_string_lossy())).collect();
        if group.len() > named {
            files.push(format!("and {} more (--verbose lists them)", group.len() - named));
        }
        writeln!(out, "  in {}", files.join(", "))?;
        if let Some(help) = &first.help {
            writeln!(out, "  {help}")?;
        }
    }
    Ok(())
}

fn printable_path(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// What `--verbose` tells.
pub fn details(report: &Report, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let details = &report.details;
    for (unit, file) in &details.sharing.differing {
        let (unit, file) = (printable_path(unit), printable_path(file));
        writeln!(out, "cowrap: {unit} says something else with precompiled headers, in {file}; please report this")?;
    }
    if let Some(reason) = &details.cache_failure {
        writeln!(out, "cowrap: nothing was kept for the next run: {}", printable_lines(reason))?;
    }
    // Who wrote a cut must learn that it cuts nothing any more.
    for UnmatchedCut { caller, callee } in &details.unmatched.cuts {
        let (caller, callee) = (printable(caller), printable(callee));
        writeln!(out, "cowrap: the pack's cut from `{caller}` to `{callee}` matched no call; take it out")?;
    }
    if !verbose {
        return Ok(());
    }
    writeln!(out, "cowrap: {}", printable(&details.parsing.clang))?;
    writeln!(out, "cowrap: root {}", printable(&report.tree.root.to_string_lossy()))?;
    for MarkLocation { mark, path, line } in &details.parsing.marks {
        writeln!(out, "cowrap: mark `{mark}` is defined at {}:{line}", printable(&path.to_string_lossy()))?;
    }
    for model in &details.unmatched.models {
        writeln!(out, "cowrap: the pack's model of `{}` matched nothing", printable(model))?;
    }
    for reason in &details.not_compared {
        writeln!(out, "cowrap: {}", printable_lines(reason))?;
    }
    for (argument, units) in &details.parsing.unknown_arguments {
        writeln!(out, "cowrap: libclang does not know `{}`; left out in {units} units", printable(argument))?;
    }
    let SharingStats { units, headers, reused, refusals, .. } = &details.sharing;
    if *headers > 0 {
        let earlier = if *reused > 0 { format!(", {reused} of them made earlier") } else { String::new() };
        writeln!(out, "cowrap: {units} units shared {headers} precompiled headers{earlier}")?;
    }
    for (reason, times) in refusals {
        writeln!(out, "cowrap: not shared, {times} times: {}", printable(reason))?;
    }
    Ok(())
}
