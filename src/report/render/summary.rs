//! What people read after the findings: units that were not checked, details, and what was covered.

use std::io::{self, Write};
use std::path::Path;

use crate::{
    Comparison, Details, MarkLocation, MemoryUse, PackSummary, Problem, Report, SharingStats, Summary, SummaryWords,
    Unknown, UnmatchedCut, UnmatchedEntries,
};

use super::text::{count, location, printable, printable_lines};

/// How many of the units with the same problem are named.
const MOST_NAMED: usize = 5;

/// Writes each problem once, with the units that have it.
pub fn problems(problems: &[Problem], verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for (first, group) in by_cause(problems) {
        writeln!(out, "{}", problem_line(first))?;
        let named = if verbose { group.len() } else { MOST_NAMED };
        let mut files: Vec<String> = group.iter().take(named).map(|problem| printable_path(&problem.file)).collect();
        if group.len() > named {
            files.push(format!("and {} more (--verbose lists them)", group.len() - named));
        }
        writeln!(out, "  in {}", files.join(", "))?;
        if let Some(help) = &first.help {
            writeln!(out, "  help: {}", printable(help))?;
        }
    }
    Ok(())
}

/// A problem in one line.
pub fn problem_line(problem: &Problem) -> String {
    let at = problem.at.as_ref().map_or_else(|| printable_path(&problem.file), location);
    format!("{at}: not checked: {}", printable(&problem.message))
}

/// Problems with the same cause, in the order of their first: the cause, and all with it.
pub fn by_cause(problems: &[Problem]) -> Vec<(&Problem, Vec<&Problem>)> {
    let mut groups: Vec<(&Problem, Vec<&Problem>)> = Vec::new();
    for problem in problems {
        let same = |(first, _): &&mut (&Problem, Vec<&Problem>)| {
            first.kind == problem.kind && first.message == problem.message
        };
        match groups.iter_mut().find(same) {
            Some((_, group)) => group.push(problem),
            None => groups.push((problem, vec![problem])),
        }
    }
    groups
}

/// Writes the details that matter in any case, and with `verbose` the others, too.
pub fn details(report: &Report, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let Details { parsing, unmatched, not_compared, sharing, cache_failure, memory } = &report.details;
    for (unit, file) in &sharing.differing {
        let (unit, file) = (printable_path(unit), printable_path(file));
        writeln!(out, "cowrap: {unit}: precompiled headers change what is read in {file}; please report this bug")?;
    }
    if let Some(reason) = cache_failure {
        writeln!(out, "cowrap: cannot cache results for the next run: {}", printable_lines(reason))?;
    }
    // Whoever wrote a cut must learn that it has no effect any more.
    let of_pack = |entries: &UnmatchedEntries| match unmatched.len() {
        1 => String::new(),
        _ => format!("{}: ", printable(&entries.pack)),
    };
    for entries in unmatched {
        let of_pack = of_pack(entries);
        if !entries.marks.is_empty() {
            let marks = printable(&entries.marks.join(", "));
            writeln!(out, "cowrap: warning: {of_pack}the tree defines no mark of this pack: {marks}")?;
        }
        for UnmatchedCut { caller, callee } in &entries.cuts {
            let (caller, callee) = (printable(caller), printable(callee));
            writeln!(out, "cowrap: {of_pack}the cut from `{caller}` to `{callee}` matches no call; remove it")?;
        }
    }
    if !verbose {
        return Ok(());
    }
    writeln!(out, "cowrap: libclang: {}", printable(&parsing.clang))?;
    writeln!(out, "cowrap: root of the tree: {}", printable_path(&report.tree.root))?;
    for MarkLocation { mark, path, line } in &parsing.marks {
        writeln!(out, "cowrap: mark `{mark}`: defined at {}:{line}", printable_path(path))?;
    }
    for entries in unmatched {
        for model in &entries.models {
            writeln!(out, "cowrap: {}the model of `{}` matches no function", of_pack(entries), printable(model))?;
        }
    }
    for reason in not_compared {
        writeln!(out, "cowrap: {}", printable_lines(reason))?;
    }
    for (argument, units) in &parsing.unknown_arguments {
        let units = count(*units, "translation unit");
        writeln!(out, "cowrap: libclang does not support `{}`; ignored in {units}", printable(argument))?;
    }
    let SharingStats { units, headers, reused, refusals, .. } = sharing;
    if *headers > 0 {
        let earlier = if *reused > 0 { format!(", {reused} of them from earlier runs") } else { String::new() };
        let (units, headers) = (count(*units, "translation unit"), count(*headers, "precompiled header"));
        writeln!(out, "cowrap: {units} used {headers}{earlier}")?;
    }
    for (reason, times) in refusals {
        writeln!(out, "cowrap: precompiled header not used, {}: {}", count(*times, "time"), printable(reason))?;
    }
    let MemoryUse { own, worker, limit } = memory;
    if *own > 0 {
        write!(out, "cowrap: memory: at most {} MiB in this process", own >> 20)?;
        if *worker > 0 {
            write!(
                out,
                ", {} MiB in a worker, of which each may take {} MiB (--limit-memory)",
                worker >> 20,
                limit >> 20
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The lines that say what was compared, what was covered, and what was found.
pub fn summary_lines(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    if !summary.other_languages.is_empty() {
        let others: Vec<String> =
            summary.other_languages.iter().map(|(language, count)| format!("{count} {language}")).collect();
        lines.push(format!("skipped, not C: {}", others.join(", ")));
    }
    if let Some(comparison) = &summary.compared {
        lines.extend(comparison_lines(comparison));
    }
    lines.push(format!(
        "{} ({} failed), {}, {}",
        count(summary.units, "translation unit"),
        summary.failed_units,
        count(summary.functions, "function"),
        count(summary.calls, "call"),
    ));
    match summary.packs.as_slice() {
        [pack] => {
            lines.push(covered(pack));
            let unknown = [vec![unknown_pointer_calls(pack)], unknowns(&summary.unknown)].concat();
            lines.push(format!("unknown: {}", unknown.join(", ")));
        }
        packs => {
            let line = |pack: &PackSummary| {
                let (name, unknown) = (printable(&pack.name), unknown_pointer_calls(pack));
                format!("{name}: {}; unknown: {unknown}", covered(pack))
            };
            lines.extend(packs.iter().map(line));
            lines.push(format!("unknown: {}", unknowns(&summary.unknown).join(", ")));
        }
    }
    lines.push(counts(summary));
    lines
}

/// How many findings there are of each level.
pub fn counts(summary: &Summary) -> String {
    let Summary { errors, warnings, notes, .. } = summary;
    format!("{}, {}, {}", count(*errors, "error"), count(*warnings, "warning"), count(*notes, "note"))
}

/// What was covered with a pack.
fn covered(pack: &PackSummary) -> String {
    let SummaryWords { inside_only, outside_only, entry, creation } = &pack.words;
    let functions = |number: usize, word: &String| count(number, &format!("{} function", printable(word)));
    let mut parts = Vec::new();
    if let Some(entry) = entry {
        parts.push(count(pack.entries, &printable(entry)));
    }
    if let Some(word) = inside_only {
        parts.push(functions(pack.inside_only, word));
    }
    // What entries must not reach.
    if let Some(word) = outside_only.as_ref().filter(|_| inside_only.is_none() || entry.is_some()) {
        parts.push(functions(pack.outside_only, word));
    }
    if let Some(creation) = creation {
        let (wrappers, creations) =
            (count(pack.wrappers, "generated wrapper"), count(pack.creations, &printable(creation)));
        parts.push(format!("entered through {wrappers} and {creations}"));
    }
    match parts.is_empty() {
        true => format!(
            "warning: the pack `{}` requires nothing of any function, so it finds nothing",
            printable(&pack.name)
        ),
        false => parts.join(", "),
    }
}

/// The calls through pointers that could not be decided with a pack.
fn unknown_pointer_calls(pack: &PackSummary) -> String {
    let partly = match pack.partly_known_calls {
        0 => String::new(),
        calls => format!(" and {calls} partly known"),
    };
    format!("{} through pointers{partly}", count(pack.pointer_calls, "call"))
}

/// What could not be decided with any pack, by kind.
fn unknowns(unknown: &Unknown) -> Vec<String> {
    let mut parts = vec![
        count(unknown.unresolved_calls, "unresolved call"),
        match unknown.bodies {
            1 => "1 missing function body".to_owned(),
            bodies => format!("{bodies} missing function bodies"),
        },
    ];
    if unknown.generated_files > 0 {
        parts.push(count(unknown.generated_files, "generated file"));
    }
    parts
}

/// The lines that say what the report was compared with.
fn comparison_lines(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((file, known)) = &comparison.baseline {
        lines.push(format!("baseline {}: {} not shown", printable(file), count(*known, "known finding")));
    }
    if !comparison.not_read.is_empty() {
        let files: Vec<String> = comparison.not_read.iter().map(|file| printable(file)).collect();
        lines.push(format!("changed, but not checked (no translation unit includes it): {}", files.join(", ")));
    }
    let Some(since) = &comparison.since else { return lines };
    let since = printable(since);
    lines.push(match &comparison.by_lines {
        None => format!("compared with {since}: {} not shown", count(comparison.known, "existing finding")),
        Some(reason) => format!(
            "compared with {since} by changed lines only, because {}: {} on other lines not shown",
            printable(reason),
            count(comparison.known, "finding")
        ),
    });
    lines
}

fn printable_path(path: &Path) -> String {
    printable(&path.to_string_lossy())
}
