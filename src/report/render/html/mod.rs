//! A page for a browser: the findings with their sources, for whoever opens it from a CI job.
//!
//! The page is readable without its script: `plain` has an overview and a table of the findings. The script replaces
//! the table by lists and excerpts, which it makes from JSON when they are looked at.

mod diff;
mod plain;
mod sources;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::browser::Page;
use super::text::{level_name, printable, printable_lines};
use crate::{BaselineState, Finding, Fix, Label, Report, RuleInfo, Safety};
use diff::Hunk;
use sources::{FileLines, Place, ShownSources};

/// How many lines are shown before and behind a label of a finding.
const AROUND_LABEL: u32 = 3;

/// How many lines are shown before and behind the location of a note.
const AROUND_NOTE: u32 = 2;

/// How many lines of a fix are shown.
const MOST_DIFF_LINES: usize = 200;

const STYLE: &str = include_str!("style.css");

/// The parts of the script, in the order in which they use each other.
const SCRIPT: [&str; 7] = [
    include_str!("store.js"),
    include_str!("source.js"),
    include_str!("markdown.js"),
    include_str!("details.js"),
    include_str!("list.js"),
    include_str!("facets.js"),
    include_str!("main.js"),
];

/// What the script reads.
#[derive(Serialize)]
struct Data<'r> {
    findings: Vec<ShownFinding<'r>>,
    rules: Vec<ShownRule>,
    files: Vec<FileLines>,
}

#[derive(Serialize)]
struct ShownFinding<'r> {
    id: &'r str,
    /// The rule's number.
    rule: usize,
    level: &'static str,
    state: Option<&'static str>,
    message: String,
    function: String,
    /// Its directories, the widest first.
    subsystems: Vec<String>,
    /// The first one is where the finding is.
    labels: Vec<ShownLabel>,
    notes: Vec<ShownNote>,
    help: Vec<String>,
    fixes: Vec<ShownFix>,
}

#[derive(Serialize)]
struct ShownLabel {
    at: Place,
    text: String,
}

#[derive(Serialize)]
struct ShownNote {
    at: Option<Place>,
    text: String,
}

#[derive(Serialize)]
struct ShownFix {
    title: String,
    safety: &'static str,
    obstacle: Option<String>,
    changes: Vec<ShownChange>,
    /// How many lines are left out.
    more: usize,
}

/// What a fix changes in a file.
#[derive(Serialize)]
struct ShownChange {
    path: String,
    hunks: Vec<Hunk>,
}

/// A rule that has findings.
#[derive(Clone, Serialize)]
struct ShownRule {
    name: String,
    pack: Option<String>,
    summary: String,
    page: String,
}

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut rules = Rules::new(report);
    let mut sources = ShownSources::new(report);
    let findings = report.findings.iter().map(|finding| shown_finding(finding, &mut rules, &mut sources)).collect();
    let data = Data { findings, rules: rules.list, files: sources.into_files() };
    let page = Page { title: &plain::title(report), styles: &[STYLE], scripts: &SCRIPT };
    page.write(&plain::body(report), &data, out)
}

fn shown_finding<'r>(finding: &'r Finding, rules: &mut Rules<'r>, sources: &mut ShownSources<'r>) -> ShownFinding<'r> {
    let labels = std::iter::once(&finding.primary).chain(&finding.secondary);
    let labels =
        labels.map(|Label { at, text }| ShownLabel { at: sources.place(at, AROUND_LABEL), text: printable(text) });
    let labels = labels.collect();
    let notes = finding.notes.iter().map(|note| ShownNote {
        at: note.at.as_ref().map(|at| sources.place(at, AROUND_NOTE)),
        text: printable(&note.text),
    });
    let notes = notes.collect();
    ShownFinding {
        id: &finding.fingerprint,
        rule: rules.number(finding),
        level: level_name(finding.level),
        state: finding.state.map(state_name),
        message: printable(&finding.message),
        function: printable(&finding.function),
        subsystems: subsystems(&finding.primary.at.path),
        labels,
        notes,
        help: finding.help.iter().map(|help| printable(help)).collect(),
        fixes: finding.fixes.iter().map(|fix| shown_fix(fix, sources)).collect(),
    }
}

/// The subsystems that a file is in: its first directory, and the second one below it.
fn subsystems(path: &Path) -> Vec<String> {
    if path.is_absolute() {
        return vec!["outside of the tree".to_owned()];
    }
    let mut directories: Vec<String> = Vec::new();
    for directory in path.parent().into_iter().flat_map(Path::components).take(2) {
        let name = printable(&directory.as_os_str().to_string_lossy());
        directories.push(directories.last().map_or_else(|| name.clone(), |above| format!("{above}/{name}")));
    }
    match directories.is_empty() {
        true => vec!["top directory".to_owned()],
        false => directories,
    }
}

/// A state's name.
fn state_name(state: BaselineState) -> &'static str {
    match state {
        BaselineState::New => "new",
        BaselineState::Updated => "updated",
    }
}

fn shown_fix(fix: &Fix, sources: &mut ShownSources<'_>) -> ShownFix {
    let mut changes = Vec::new();
    let (mut room, mut more) = (MOST_DIFF_LINES, 0);
    // The edits of a fix are sorted, so those of one file follow each other.
    for edits in fix.edits.chunk_by(|one, next| one.path == next.path) {
        let path = &edits[0].path;
        let hunks = sources.source(path).and_then(|source| diff::hunks(&source, edits)).unwrap_or_default();
        let mut change = ShownChange { path: printable(&path.to_string_lossy()), hunks: Vec::new() };
        for hunk in hunks {
            match room.checked_sub(hunk.lines.len()) {
                Some(left) => {
                    room = left;
                    change.hunks.push(hunk);
                }
                None => more += hunk.lines.len(),
            }
        }
        changes.push(change);
    }
    let safety = match fix.safety {
        Safety::Safe => "safe",
        Safety::Unsafe => "unsafe",
    };
    let obstacle = fix.obstacle.as_deref().map(printable);
    ShownFix { title: printable(&fix.title), safety, obstacle, changes, more }
}

/// The rules that have findings.
struct Rules<'r> {
    report: &'r Report,
    list: Vec<ShownRule>,
    numbers: BTreeMap<(&'r str, Option<&'r str>), usize>,
}

impl<'r> Rules<'r> {
    fn new(report: &'r Report) -> Self {
        Rules { report, list: Vec::new(), numbers: BTreeMap::new() }
    }

    fn number(&mut self, finding: &'r Finding) -> usize {
        let key = (finding.rule.as_str(), finding.pack.as_deref());
        if let Some(known) = self.numbers.get(&key) {
            return *known;
        }
        let info = rule_of(self.report, finding);
        self.list.push(ShownRule {
            name: printable(&self.report.rule_name(finding)),
            pack: finding.pack.as_deref().map(printable),
            summary: info.map_or_else(String::new, |info| printable(&info.summary)),
            page: info.map_or_else(String::new, |info| printable_lines(&info.page)),
        });
        self.numbers.insert(key, self.list.len() - 1);
        self.list.len() - 1
    }
}

/// What is known about the rule of a finding.
fn rule_of<'r>(report: &'r Report, finding: &Finding) -> Option<&'r RuleInfo> {
    let is_only_pack = report.summary.packs.len() <= 1;
    report.rules.iter().find(|rule| rule.name == finding.rule && (is_only_pack || rule.pack == finding.pack))
}
