//! SARIF 2.1.0, for services that show findings and keep track of them. `docs/formats.md` describes
//! what is where.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Component, Path};

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::{BaselineState, Finding, Fix, Label, Safety, Span};
use crate::{Problem, Report, RuleInfo};
use cowrap_base::files::Columns;

use super::text::{level_name, printable, write_json};

/// The name of the directory that relative paths start from. The document does not say where it is,
/// so that it is the same on every machine.
const ROOT: &str = "SRCROOT";

/// The name and version of the fingerprints.
const FINGERPRINT: &str = "finding/v2";

/// Writes a report.
pub fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let positions = report.rules.iter().enumerate().map(|(position, rule)| (rule_id(report, rule), position));
    let mut writer =
        Writer { report, positions: positions.collect(), columns: Columns::new(&report.tree.root, &report.overlay) };
    let notifications: Vec<Value> = report.problems.iter().map(|problem| writer.notification(problem)).collect();
    let run = Run {
        column_kind: "unicodeCodePoints",
        invocations: json!([{
            "executionSuccessful": report.problems.is_empty(),
            "toolExecutionNotifications": notifications,
        }]),
        original_uri_base_ids: json!({ ROOT: { "description": { "text": "the root of the tree" } } }),
        results: Results(RefCell::new(writer)),
        tool: json!({ "driver": {
            "name": crate::PROGRAM,
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": report.rules.iter().map(|known| rule(report, known)).collect::<Vec<_>>(),
        }}),
    };
    let schema = "https://json.schemastore.org/sarif-2.1.0.json";
    write_json(&Document { schema, runs: [run], version: "2.1.0" }, true, out)?;
    writeln!(out)
}

/// The document. Keys are sorted, as in all parts of it.
#[derive(Serialize)]
struct Document<'r> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    runs: [Run<'r>; 1],
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'r> {
    column_kind: &'static str,
    invocations: Value,
    original_uri_base_ids: Value,
    results: Results<'r>,
    tool: Value,
}

/// The findings, each of which is made when it is written: all of them take a gigabyte where there are many.
struct Results<'r>(RefCell<Writer<'r>>);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.0.borrow().report;
        serializer.collect_seq(report.findings.iter().map(|finding| self.0.borrow_mut().result(finding)))
    }
}

/// The id of a rule, as results have it.
fn rule_id(report: &Report, rule: &RuleInfo) -> String {
    match &rule.pack {
        Some(pack) if report.summary.packs.len() > 1 => format!("{pack}/{}", rule.name),
        _ => rule.name.clone(),
    }
}

fn rule(report: &Report, rule: &RuleInfo) -> Value {
    // The page begins with its name, then says in a paragraph what is reported.
    let about = rule.page.split("\n\n").nth(1).unwrap_or(&rule.summary).replace('\n', " ");
    json!({
        "id": rule_id(report, rule),
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": about },
        "help": { "text": rule.page, "markdown": rule.page },
        "defaultConfiguration": { "level": level_name(rule.level), "enabled": !rule.opt_in },
    })
}

/// Writes results.
struct Writer<'r> {
    report: &'r Report,
    positions: HashMap<String, usize>,
    columns: Columns<'r>,
}

impl Writer<'_> {
    fn result(&mut self, finding: &Finding) -> Value {
        let mut primary = self.location(&finding.primary.at, Some(&finding.primary.text));
        if !finding.function.is_empty() {
            let function = printable(&finding.function);
            primary["logicalLocations"] = json!([{ "fullyQualifiedName": function, "kind": "function" }]);
        }
        // Notes with locations are steps of the flow.
        let notes = finding.notes.iter().filter(|note| note.at.is_none()).map(|note| format!("note: {}", note.text));
        let help = finding.help.iter().map(|help| format!("help: {help}"));
        let lines: Vec<String> = std::iter::once(finding.message.clone()).chain(notes).chain(help).collect();
        let rule = self.report.rule_name(finding);
        let mut result = json!({
            "ruleId": rule,
            "level": level_name(finding.level),
            "message": message(&lines.join("\n")),
            "locations": [primary],
            "partialFingerprints": { FINGERPRINT: finding.fingerprint },
        });
        if let Some(state) = finding.state {
            result["baselineState"] = json!(match state {
                BaselineState::New => "new",
                BaselineState::Updated => "updated",
            });
        }
        if let Some(pack) = &finding.pack {
            result["properties"] = json!({ "pack": pack });
        }
        if let Some(position) = self.positions.get(&*rule) {
            result["ruleIndex"] = json!(position);
        }
        if !finding.secondary.is_empty() {
            let related = finding.secondary.iter().enumerate().map(|(number, label)| {
                let mut location = self.location(&label.at, Some(&label.text));
                location["id"] = json!(number + 1);
                location
            });
            result["relatedLocations"] = related.collect();
        }
        if let Some(flow) = self.flow(finding) {
            result["codeFlows"] = flow;
        }
        let fixes: Vec<Value> = finding.fixes.iter().filter(|fix| !fix.edits.is_empty()).map(described).collect();
        if !fixes.is_empty() {
            result["fixes"] = json!(fixes);
        }
        result
    }

    /// The notes with locations, as one flow that starts at the finding.
    fn flow(&mut self, finding: &Finding) -> Option<Value> {
        let steps: Vec<Label> = finding
            .notes
            .iter()
            .filter_map(|note| note.at.clone().map(|at| Label { at, text: note.text.clone() }))
            .collect();
        if steps.is_empty() {
            return None;
        }
        // A chain of calls has the finding's own call as its first step.
        let is_first = steps[0].at == finding.primary.at;
        let start = (!is_first).then_some(&finding.primary);
        let locations: Vec<Value> = start
            .into_iter()
            .chain(&steps)
            .map(|label| json!({ "location": self.location(&label.at, Some(&label.text)) }))
            .collect();
        Some(json!([{ "threadFlows": [{ "locations": locations }] }]))
    }

    fn location(&mut self, at: &Span, text: Option<&str>) -> Value {
        let column = self.columns.in_characters(&at.path, at.line, at.column);
        let mut location = json!({ "physicalLocation": {
            "artifactLocation": artifact(&at.path),
            "region": { "startLine": at.line.max(1), "startColumn": column.max(1) },
        }});
        if let Some(text) = text {
            location["message"] = message(text);
        }
        location
    }

    fn notification(&mut self, problem: &Problem) -> Value {
        let location = match &problem.at {
            Some(at) => self.location(at, None),
            None => json!({ "physicalLocation": { "artifactLocation": artifact(&problem.file) } }),
        };
        let mut text = format!("{} was not checked: {}", problem.file.to_string_lossy(), problem.message);
        if let Some(help) = &problem.help {
            text = format!("{text}\nhelp: {help}");
        }
        json!({
            "level": "error",
            "descriptor": { "id": problem.kind.name() },
            "message": message(&text),
            "locations": [location],
        })
    }
}

/// A fix, with byte offsets in the file as it is.
fn described(fix: &Fix) -> Value {
    // The edits of a fix are sorted, so those of one file follow each other.
    let changes = fix.edits.chunk_by(|one, next| one.path == next.path).map(|edits| {
        let replacements = edits.iter().map(|edit| {
            let deleted = json!({ "byteOffset": edit.start, "byteLength": edit.end - edit.start });
            match edit.text.is_empty() {
                true => json!({ "deletedRegion": deleted }),
                false => json!({ "deletedRegion": deleted, "insertedContent": { "text": edit.text } }),
            }
        });
        json!({ "artifactLocation": artifact(&edits[0].path), "replacements": replacements.collect::<Vec<_>>() })
    });
    let safety = match fix.safety {
        Safety::Safe => "safe",
        Safety::Unsafe => "unsafe",
    };
    json!({
        "description": message(&fix.title),
        "artifactChanges": changes.collect::<Vec<_>>(),
        "properties": { "safety": safety },
    })
}

/// Plain text, without placeholders (SARIF 3.11.5) and links (3.11.6).
fn message(text: &str) -> Value {
    let text = text.lines().map(printable).collect::<Vec<_>>().join("\n");
    json!({ "text": text.replace('{', "{{").replace('}', "}}").replace("](", "]\\(") })
}

/// A file as a URI, relative to the root when it is below it.
fn artifact(path: &Path) -> Value {
    use std::os::unix::ffi::OsStrExt;
    let escaped = |part: &std::ffi::OsStr| -> String {
        let escape = |byte: &u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        part.as_bytes().iter().map(escape).collect()
    };
    let parts = path.components().filter(|part| !matches!(part, Component::RootDir | Component::CurDir));
    let parts: Vec<String> = parts.map(|part| escaped(part.as_os_str())).collect();
    let uri = parts.join("/");
    match path.is_absolute() {
        true => json!({ "uri": format!("file:///{uri}") }),
        false => json!({ "uri": uri, "uriBaseId": ROOT }),
    }
}
