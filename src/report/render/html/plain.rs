//! What a page says without its script: an overview, and a table of the findings.

use std::collections::BTreeMap;

use crate::{Comparison, Finding, Level, PackSummary, Report, Summary};

use super::super::browser::{escape, prose};
use super::super::summary::{by_cause, summary_lines};
use super::super::text::{count, level_name, location};
use super::{rule_of, state_name, subsystems};

/// The parts of the page that the script fills.
const APPLICATION: &str = include_str!("application.html");

/// How many units with the same problem are named.
const MOST_NAMED: usize = 100;

/// How many findings of each level there are.
#[derive(Clone, Copy, Debug, Default)]
struct Counts([usize; 3]);

impl Counts {
    fn add(&mut self, finding: &Finding) {
        self.0[finding.level as usize] += 1;
    }

    /// As cells of a table; a dash is easier to skip than a zero.
    fn cells(self) -> String {
        let cell = |number: usize| if number == 0 { "–".to_owned() } else { number.to_string() };
        self.0.iter().map(|number| format!("<td class=\"number\">{}</td>", cell(*number))).collect()
    }
}

/// The title: what was found.
pub fn title(report: &Report) -> String {
    format!("cowrap: {}", verdict(&report.summary))
}

fn verdict(summary: &Summary) -> String {
    let (errors, warnings) = (count(summary.errors, "error"), count(summary.warnings, "warning"));
    format!("{errors}, {warnings}, {}", count(summary.notes, "note"))
}

/// The body of the page.
pub fn body(report: &Report) -> String {
    let application = APPLICATION.replacen("<!--VERDICT-->", &escape(&verdict(&report.summary)), 1);
    format!("{application}\n{}\n{}", overview(report), table(report))
}

fn overview(report: &Report) -> String {
    let sections = [
        introduction(report),
        tiles(report),
        not_read(report),
        compared(report),
        by_rule(report),
        by_subsystem(report),
        undecided(&report.summary),
        covered(&report.summary),
    ];
    format!("<section id=\"overview\" aria-label=\"Overview\">\n{}</section>", sections.concat())
}

fn introduction(report: &Report) -> String {
    let packs: Vec<String> =
        report.summary.packs.iter().map(|pack| format!("<code>{}</code>", escape(&pack.name))).collect();
    let packs = match packs.as_slice() {
        [] => String::new(),
        [pack] => format!(" with the pack {pack}"),
        packs => format!(" with the packs {}", packs.join(", ")),
    };
    format!(
        "<h2>Overview</h2>\n<p>cowrap {} checked {}{packs}. It finds calls that break the rules of the code base about \
         the contexts in which functions may run. Errors are violations. Warnings are probable violations, or depend \
         on something that cowrap cannot see. Notes have little evidence.</p>\n\
         <p class=\"scripted-only\">Select a finding in the list, or press <kbd>j</kbd>, to see its source, why it is \
         reported, and what to do. Filters and numbers select which findings the list has.</p>\n",
        env!("CARGO_PKG_VERSION"),
        count(report.summary.units, "translation unit"),
    )
}

fn tiles(report: &Report) -> String {
    let Summary { errors, warnings, notes, .. } = report.summary;
    let tile = |number: usize, level: Level, noun: &str| {
        let (name, text) = (level_name(level), count(number, noun));
        let noun = text.split_once(' ').map_or("", |(_, noun)| noun);
        // What is not there has no color, and is no filter.
        if number == 0 {
            return format!("<li class=\"tile\"><b>0</b> {noun}</li>\n");
        }
        format!("<li class=\"tile {name}\" data-facet=\"level\" data-value=\"{name}\"><b>{number}</b> {noun}</li>\n")
    };
    let mut tiles = vec![
        tile(errors, Level::Error, "error"),
        tile(warnings, Level::Warning, "warning"),
        tile(notes, Level::Note, "note"),
    ];
    let with_fix = report.findings.iter().filter(|finding| finding.fixes.iter().any(|fix| !fix.edits.is_empty()));
    let with_fix = with_fix.count();
    if with_fix > 0 {
        tiles.push(format!("<li class=\"tile\"><b>{with_fix}</b> with a fix</li>\n"));
    }
    if let Some(compared) = &report.summary.compared {
        let known = known(compared);
        tiles.push(format!("<li class=\"tile\"><b>{known}</b> known before, not shown</li>\n"));
    }
    format!("<ul class=\"tiles\">\n{}</ul>\n", tiles.concat())
}

/// How many findings are not in the report since they existed before.
fn known(compared: &Comparison) -> usize {
    let in_baseline = compared.baseline.as_ref().map_or(0, |(_, known)| *known);
    in_baseline + compared.known
}

/// The translation units that could not be read.
fn not_read(report: &Report) -> String {
    if report.problems.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<section class=\"warning-box\"><h3>{} could not be read</h3>\n<p>The report is incomplete: what these units \
         alone contain was not checked.</p>\n<ul>\n",
        count(report.problems.len(), "translation unit")
    );
    for (first, group) in by_cause(&report.problems) {
        let at = first.at.as_ref().map_or_else(|| first.file.to_string_lossy().into_owned(), location);
        let help = first.help.as_deref().map_or_else(String::new, |help| format!("<br>help: {}", prose(help)));
        let mut files: Vec<String> =
            group.iter().take(MOST_NAMED).map(|problem| escape(&problem.file.to_string_lossy())).collect();
        if group.len() > MOST_NAMED {
            files.push(format!("and {} more", group.len() - MOST_NAMED));
        }
        out.push_str(&format!(
            "<li><code>{}</code>: {}{help}<details><summary>{}</summary>{}</details></li>\n",
            escape(&at),
            prose(&first.message),
            count(group.len(), "unit"),
            files.join(", ")
        ));
    }
    out + "</ul></section>\n"
}

/// What the report is compared with, and what is new.
fn compared(report: &Report) -> String {
    let Some(compared) = &report.summary.compared else { return String::new() };
    let mut parts = Vec::new();
    if let Some((file, known)) = &compared.baseline {
        let known = count(*known, "known finding");
        parts.push(format!("The baseline <code>{}</code> holds {known} back.", escape(file)));
    }
    if let Some(since) = &compared.since {
        let how = match &compared.by_lines {
            None => String::new(),
            Some(reason) => format!(", by changed lines only, because {}", prose(reason)),
        };
        let existing = count(compared.known, "existing finding");
        parts.push(format!("Compared with <code>{}</code>{how}: {existing} not shown.", escape(since)));
    }
    if !compared.not_read.is_empty() {
        let files: Vec<String> =
            compared.not_read.iter().map(|file| format!("<code>{}</code>", escape(file))).collect();
        parts.push(format!("Changed, but not checked, since no translation unit includes it: {}.", files.join(", ")));
    }
    let items: Vec<String> = parts.iter().map(|part| format!("<li>{part}</li>\n")).collect();
    let new = match report.findings.is_empty() {
        true => "Nothing is new.",
        false => "All findings here are new or on changed lines.",
    };
    format!("<h3>What is new</h3>\n<p>{new}</p>\n<ul>\n{}</ul>\n", items.concat())
}

fn by_rule(report: &Report) -> String {
    let mut rules: BTreeMap<String, (Counts, &Finding)> = BTreeMap::new();
    for finding in &report.findings {
        let name = report.rule_name(finding).into_owned();
        rules.entry(name).or_insert((Counts::default(), finding)).0.add(finding);
    }
    let rows = rules.iter().map(|(name, (counts, finding))| {
        let summary = rule_of(report, finding).map_or("", |rule| &rule.summary);
        let name = escape(name);
        format!(
            "<tr><th scope=\"row\" data-facet=\"rule\" data-value=\"{name}\">{name}</th>{}<td>{}</td></tr>\n",
            counts.cells(),
            prose(summary)
        )
    });
    counted_table("By rule", "Rule", "<th scope=\"col\">What it reports</th>", &rows.collect::<String>())
}

fn by_subsystem(report: &Report) -> String {
    let mut subsystems_with: BTreeMap<String, Counts> = BTreeMap::new();
    for finding in &report.findings {
        let widest = subsystems(&finding.primary.at.path).into_iter().next().unwrap_or_default();
        subsystems_with.entry(widest).or_default().add(finding);
    }
    let rows = subsystems_with.iter().map(|(name, counts)| {
        let (name, cells) = (escape(name), counts.cells());
        format!("<tr><th scope=\"row\" data-facet=\"subsystem\" data-value=\"{name}\">{name}</th>{cells}</tr>\n")
    });
    counted_table("By subsystem", "Directory", "", &rows.collect::<String>())
}

fn counted_table(title: &str, first: &str, last: &str, rows: &str) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h3>{title}</h3>\n<table class=\"counts\"><thead><tr><th scope=\"col\">{first}</th>\
         <th scope=\"col\" class=\"number\">Errors</th><th scope=\"col\" class=\"number\">Warnings</th>\
         <th scope=\"col\" class=\"number\">Notes</th>{last}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n"
    )
}

/// What could not be decided.
fn undecided(summary: &Summary) -> String {
    let several = summary.packs.len() > 1;
    let pointers = |pack: &PackSummary| {
        let of_pack = if several { format!(" (pack {})", escape(&pack.name)) } else { String::new() };
        [
            (pack.pointer_calls, format!("calls through function pointers without a known candidate{of_pack}")),
            (
                pack.partly_known_calls,
                format!(
                    "calls through function pointers that may also point to something that cowrap cannot see{of_pack}"
                ),
            ),
        ]
    };
    let mut rows: Vec<(usize, String)> = summary.packs.iter().flat_map(pointers).collect();
    let unknown = &summary.unknown;
    rows.extend([
        (
            unknown.unresolved_calls,
            "calls in branches of <code>_Generic</code> and <code>__builtin_choose_expr</code>".to_owned(),
        ),
        (unknown.bodies, "functions that the tree declares and calls, but whose body was not read".to_owned()),
        (unknown.generated_files, "generated files that could not be compared with what they should be".to_owned()),
    ]);
    rows.retain(|(number, _)| *number > 0);
    if rows.is_empty() {
        return String::new();
    }
    let rows: Vec<String> = rows
        .iter()
        .map(|(number, text)| format!("<tr><td class=\"number\">{number}</td><td>{text}</td></tr>\n"))
        .collect();
    format!(
        "<h3>What cowrap could not decide</h3>\n<p>A mistake behind one of these is not reported.</p>\n\
         <table class=\"counts\"><tbody>\n{}</tbody></table>\n",
        rows.concat()
    )
}

/// What was covered, as every format for people says it.
fn covered(summary: &Summary) -> String {
    let lines: Vec<String> = summary_lines(summary).iter().map(|line| format!("<li>{}</li>\n", escape(line))).collect();
    format!("<h3>Coverage</h3>\n<ul>\n{}</ul>\n", lines.concat())
}

/// All findings in one table.
fn table(report: &Report) -> String {
    let mut rows = String::new();
    for finding in &report.findings {
        let state = finding.state.map_or_else(String::new, |state| format!(" ({})", state_name(state)));
        rows.push_str(&format!(
            "<tr id=\"{}\"><td class=\"{level}\">{level}{state}</td><td>{}</td><td>{}</td>\
             <td><code>{}</code></td></tr>\n",
            escape(&finding.fingerprint),
            escape(&report.rule_name(finding)),
            prose(&finding.message),
            escape(&location(&finding.primary.at)),
            level = level_name(finding.level),
        ));
    }
    if report.findings.is_empty() {
        return "<section id=\"plain\"><h2>Findings</h2><p>There are no findings.</p></section>".to_owned();
    }
    format!(
        "<section id=\"plain\" aria-label=\"All findings\"><h2>Findings</h2>\n<p>With scripts enabled, this page also \
         shows sources, notes and fixes, and can filter and search.</p>\n<table><thead><tr><th scope=\"col\">Level</th>\
         <th scope=\"col\">Rule</th><th scope=\"col\">Message</th><th scope=\"col\">Location</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table></section>"
    )
}
