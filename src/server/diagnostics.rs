//! Findings and problems as diagnostics, and which of them are published.
//!
//! It must never know how a finding was found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gen_lsp_types::{
    Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Message,
    Notification as _, PublishDiagnosticsNotification, PublishDiagnosticsParams, Range, Uri,
};
use serde_json::json;

use cowrap_report::{Finding, Label, Level, Problem, Report, Span};
use cowrap_session::Shown;

use crate::capabilities::Capabilities;
use crate::documents::Document;
use crate::rule_pages::RulePages;
use crate::texts::FileTexts;
use crate::transport::Client;

/// The name under which editors show diagnostics.
const SOURCE: &str = "cowrap";

/// The rules that report what can be deleted.
const UNNECESSARY: [&str; 3] = ["superfluous-mark", "unused-suppression", "stale-baseline"];

/// The rules that report what matches nothing, which is not known before the whole tree has been read.
const OF_WHOLE_TREES: [&str; 2] = ["unused-suppression", "stale-baseline"];

/// What was published.
#[derive(Default)]
pub(crate) struct Publisher {
    published: BTreeMap<String, Published>,
    pages: RulePages,
}

/// The diagnostics of a document, which has a version if it is open.
#[derive(Clone, Debug, Default, PartialEq)]
struct Published {
    version: Option<i32>,
    diagnostics: Vec<Diagnostic>,
}

impl Publisher {
    /// Publishes what has changed. A report of a part of the tree has nothing to say about files without
    /// findings, unless they are open.
    pub(crate) fn publish(
        &mut self,
        report: &Report,
        texts: &FileTexts<'_>,
        capabilities: Capabilities,
        is_complete: bool,
        client: &Client,
    ) {
        let mut current = self.diagnostics(report, texts, capabilities);
        if !is_complete {
            self.keep(&mut current);
        }
        self.send(current, client);
    }

    /// Keeps what a report of a part of the tree has nothing to say about.
    fn keep(&self, current: &mut BTreeMap<String, Published>) {
        for (uri, before) in &self.published {
            match current.get_mut(uri) {
                None => drop(current.insert(uri.clone(), before.clone())),
                Some(now) if now.version.is_none() => {
                    let of_whole_trees = before.diagnostics.iter().filter(|diagnostic| needs_whole_tree(diagnostic));
                    now.diagnostics.extend(of_whole_trees.cloned());
                    now.diagnostics.sort_by_key(|diagnostic| diagnostic.range.start);
                }
                // Its lines may have moved.
                Some(_) => {}
            }
        }
    }

    /// Takes everything back.
    pub(crate) fn clear(&mut self, client: &Client) {
        self.send(BTreeMap::new(), client);
    }

    fn send(&mut self, current: BTreeMap<String, Published>, client: &Client) {
        let before = std::mem::take(&mut self.published);
        for (uri, now) in &current {
            let is_sent = match before.get(uri) {
                Some(before) => before == now || (before.diagnostics.is_empty() && now.diagnostics.is_empty()),
                None => now.diagnostics.is_empty(),
            };
            if !is_sent {
                send(client, uri, now.version, now.diagnostics.clone());
            }
        }
        for (uri, _) in
            before.iter().filter(|(uri, before)| !before.diagnostics.is_empty() && !current.contains_key(*uri))
        {
            send(client, uri, None, Vec::new());
        }
        self.published = current;
    }

    /// The diagnostics of each document that has some or is open.
    fn diagnostics(
        &mut self,
        report: &Report,
        texts: &FileTexts<'_>,
        capabilities: Capabilities,
    ) -> BTreeMap<String, Published> {
        let mut of_files: BTreeMap<PathBuf, Vec<Diagnostic>> = BTreeMap::new();
        for finding in &report.findings {
            let diagnostic = self.diagnostic(finding, report, texts, capabilities);
            of_files.entry(finding.primary.at.path.clone()).or_default().push(diagnostic);
        }
        for (path, diagnostic) in problems(&report.problems, texts, capabilities) {
            of_files.entry(path).or_default().push(diagnostic);
        }
        let mut all: BTreeMap<String, Published> =
            texts.open().map(|document| (document.uri.0.clone(), published(document, &[]))).collect();
        for (path, mut diagnostics) in of_files {
            diagnostics.sort_by_key(|diagnostic| diagnostic.range.start);
            add(&mut all, &path, diagnostics, texts);
        }
        all
    }

    /// A finding as a diagnostic.
    pub(crate) fn diagnostic(
        &mut self,
        finding: &Finding,
        report: &Report,
        texts: &FileTexts<'_>,
        capabilities: Capabilities,
    ) -> Diagnostic {
        let name = report.rule_name(finding);
        let rule = report.rules.iter().find(|rule| rule.name == finding.rule && rule.pack == finding.pack);
        let page = rule.filter(|_| capabilities.code_description).and_then(|rule| self.pages.uri(rule));
        let is_unnecessary = rule.is_some_and(|rule| UNNECESSARY.contains(&rule.id)) && capabilities.unnecessary_tag;
        let steps = steps(finding);
        let mut lines = vec![finding.message.clone()];
        lines.extend(finding.notes.iter().filter(|note| note.at.is_none()).map(|note| format!("note: {}", note.text)));
        if !capabilities.related_information {
            let shown = |at: &Span| format!("{}:{}", at.path.shown(), at.line);
            lines.extend(steps.iter().map(|step| format!("{}: {}", shown(&step.at), step.text)));
        }
        lines.extend(finding.help.iter().map(|help| format!("help: {help}")));
        Diagnostic {
            range: texts.range(&finding.primary.at),
            severity: Some(match finding.level {
                Level::Error => DiagnosticSeverity::Error,
                Level::Warning => DiagnosticSeverity::Warning,
                Level::Note => DiagnosticSeverity::Information,
            }),
            code: Some(Code::String(name.into_owned())),
            code_description: page.map(|href| CodeDescription { href }),
            source: Some(SOURCE.to_owned()),
            message: Message::String(lines.join("\n")),
            tags: is_unnecessary.then(|| vec![DiagnosticTag::Unnecessary]),
            related_information: related(&steps, texts, capabilities),
            data: Some(json!({ "fingerprint": finding.fingerprint })),
        }
    }
}

/// The other locations of a finding: first those of its labels, then the steps of its witness, in order.
fn steps(finding: &Finding) -> Vec<Label> {
    let notes = finding.notes.iter().filter_map(|note| Some(Label { at: note.at.clone()?, text: note.text.clone() }));
    finding.secondary.iter().cloned().chain(notes).collect()
}

fn related(
    steps: &[Label],
    texts: &FileTexts<'_>,
    capabilities: Capabilities,
) -> Option<Vec<DiagnosticRelatedInformation>> {
    let information =
        |step: &Label| DiagnosticRelatedInformation { location: texts.location(&step.at), message: step.text.clone() };
    (capabilities.related_information && !steps.is_empty()).then(|| steps.iter().map(information).collect())
}

/// The units that could not be read. An error in a header is one diagnostic of the header, however many units it stops.
fn problems(
    problems: &[Problem],
    texts: &FileTexts<'_>,
    capabilities: Capabilities,
) -> impl Iterator<Item = (PathBuf, Diagnostic)> {
    let mut by_location: BTreeMap<(Span, &str), Vec<&Problem>> = BTreeMap::new();
    for problem in problems {
        let at = problem.at.clone().unwrap_or_else(|| Span { path: problem.file.clone(), line: 1, column: 1 });
        by_location.entry((at, &problem.message)).or_default().push(problem);
    }
    by_location.into_iter().map(move |((at, message), problems)| {
        let elsewhere: Vec<&Problem> = problems.iter().filter(|problem| problem.file != at.path).copied().collect();
        let stopped = match elsewhere[..] {
            [] => "this file was not checked".to_owned(),
            [unit] => format!("{} was not checked", unit.file.shown()),
            _ => format!("{} translation units were not checked", problems.len()),
        };
        let help = problems[0].help.iter().map(|help| format!("\nhelp: {help}"));
        let first_line = |unit: &&Problem| Span { path: unit.file.clone(), line: 1, column: 1 };
        let label = |unit: &&Problem| Label { at: first_line(unit), text: "not checked".to_owned() };
        let units: Vec<Label> = elsewhere.iter().take(MOST_STOPPED).map(label).collect();
        let diagnostic = Diagnostic {
            range: texts.range(&at),
            severity: Some(DiagnosticSeverity::Warning),
            code: Some(Code::String(problems[0].kind.name().to_owned())),
            source: Some(SOURCE.to_owned()),
            message: Message::String(format!("{stopped}: {message}{}", help.collect::<String>())),
            related_information: related(&units, texts, capabilities),
            ..Diagnostic::default()
        };
        (at.path, diagnostic)
    })
}

/// Of the units that an error stops, a diagnostic names this many.
const MOST_STOPPED: usize = 10;

/// Adds the diagnostics of a file to those of its documents.
fn add(all: &mut BTreeMap<String, Published>, path: &Path, diagnostics: Vec<Diagnostic>, texts: &FileTexts<'_>) {
    let documents = texts.documents(path);
    for document in documents {
        all.insert(document.uri.0.clone(), published(document, &diagnostics));
    }
    if documents.is_empty() {
        all.insert(texts.uri(path).0, Published { version: None, diagnostics });
    }
}

fn published(document: &Document, diagnostics: &[Diagnostic]) -> Published {
    Published { version: Some(document.version), diagnostics: diagnostics.to_vec() }
}

fn send(client: &Client, uri: &str, version: Option<i32>, diagnostics: Vec<Diagnostic>) {
    let params = PublishDiagnosticsParams { uri: Uri::from(uri), version, diagnostics };
    client.notify(PublishDiagnosticsNotification::METHOD.as_str(), params);
}

fn needs_whole_tree(diagnostic: &Diagnostic) -> bool {
    matches!(&diagnostic.code, Some(Code::String(rule)) if OF_WHOLE_TREES.contains(&rule.as_str()))
}

/// Whether two ranges have a line in common.
pub(crate) fn touches(one: Range, other: Range) -> bool {
    one.start.line <= other.end.line && other.start.line <= one.end.line
}
