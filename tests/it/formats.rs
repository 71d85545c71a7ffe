//! What `cowrap check` can write, beyond what people read: the structure of each format, and that hostile text stays text.
//!
//! Reports are made by hand here, so that they can hold what no compiler lets through.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cowrap_base::files::{Overlay, Tree};
use cowrap_report::render::{Format, Style, render};
use cowrap_report::{BaselineState, Edit, Finding, Fingerprints, Fix, Label, Level, Note, Role, Safety, Span};
use cowrap_report::{Comparison, Details, Problem, ProblemKind, Report, RuleInfo, Summary};
use cowrap_session::{Input, Progress, Request};
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use serde_json::{Value, json};
use tempfile::TempDir;

const ALL: &[Format] = &[
    Format::Human,
    Format::Short,
    Format::Json,
    Format::Jsonl,
    Format::Sarif,
    Format::Gitlab,
    Format::Github,
    Format::Junit,
    Format::Checkstyle,
    Format::Html,
];

/// The rules that the reports here know.
fn rules() -> Vec<RuleInfo> {
    let rule = |id: &'static str, level: Level, summary: &str, page: &str| RuleInfo {
        id,
        pack: Some("qemu".to_owned()),
        name: id.to_owned(),
        level,
        summary: summary.to_owned(),
        opt_in: level == Level::Warning,
        fixes: None,
        page: page.to_owned(),
    };
    vec![
        rule("a-rule", Level::Error, "one thing", "# a-rule\n\nOne thing,\ntold.\n\n## Why\n"),
        rule("b-rule", Level::Warning, "another thing", "# b-rule\n\nOther.\n"),
    ]
}

/// What terminals, browsers, services and parsers could take for something else than text.
const HOSTILE: &str = "\u{1b}[31m\r\n::set-output name=x::y\n##[error]z %0A,:\" <script>alert('&')</script>]]><!-- \u{0}\
                       \u{7}\u{9b}\u{202e}\u{fffe}\u{ffff} {0} [link](http://example.org) ${x} \\u0041 \u{1f600}";

// --- SARIF ------------------------------------------------------------------------------------------------------

#[test]
fn sarif_has_the_rules_and_the_findings() {
    let made = Made::new();
    let run = made.sarif();
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2);
    assert_eq!(rules[0]["id"], "a-rule");
    assert_eq!(rules[0]["shortDescription"]["text"], "one thing");
    assert_eq!(rules[0]["fullDescription"]["text"], "One thing, told.");
    assert_eq!(rules[0]["help"]["markdown"], self::rules()[0].page);
    assert_eq!(rules[0]["defaultConfiguration"], json!({"level": "error", "enabled": true}));
    assert_eq!(rules[1]["defaultConfiguration"], json!({"level": "warning", "enabled": false}));
    let results = run["results"].as_array().unwrap();
    for (result, level) in results.iter().zip(["error", "warning", "note"]) {
        assert_eq!(result["level"], level);
        let position = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[position]["id"], result["ruleId"]);
    }
    let text = results[0]["message"]["text"].as_str().unwrap();
    assert_eq!(text, "`g` is called from `f`\nnote: and 2 more\nhelp: call `h`");
    assert_eq!(results[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "f");
    assert_eq!(run["invocations"], json!([{"executionSuccessful": true, "toolExecutionNotifications": []}]));
}

#[test]
fn sarif_has_places_in_characters() {
    let run = Made::new().sarif();
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let place = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"], json!({"uri": "dir/a%20b.c", "uriBaseId": "SRCROOT"}));
    // `/* é */ g();`: the byte column is 10.
    assert_eq!(place["region"], json!({"startLine": 2, "startColumn": 9}));
    let related = &run["results"][0]["relatedLocations"][0];
    assert_eq!(related["message"]["text"], "marked here");
    assert_eq!(related["id"], 1);
    // The file is not there: the column is that of bytes.
    assert_eq!(related["physicalLocation"]["artifactLocation"]["uri"], "file:///usr/include/x%3Ay.h");
    assert_eq!(related["physicalLocation"]["region"], json!({"startLine": 3, "startColumn": 7}));
}

#[test]
fn sarif_walks_through_the_notes() {
    let mut made = Made::new();
    let flow = |run: &Value| {
        let locations = run["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
        let text = |step: &Value| step["location"]["message"]["text"].as_str().unwrap().to_owned();
        locations.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(flow(&made.sarif()), ["called here", "`main` calls `f`"]);
    assert!(made.sarif()["results"][1].get("codeFlows").is_none());
    // A chain of calls begins where the finding is, and does not say so twice.
    let first = made.report.findings[0].primary.at.clone();
    made.report.findings[0].notes.insert(0, Note { text: "`f` calls `g`".to_owned(), at: Some(first) });
    assert_eq!(flow(&made.sarif()), ["`f` calls `g`", "`main` calls `f`"]);
}

#[test]
fn sarif_has_the_edits_of_fixes() {
    let run = Made::new().sarif();
    let fixes = run["results"][0]["fixes"].as_array().unwrap();
    assert_eq!(fixes.len(), 1, "a fix that cannot be written is none");
    assert_eq!(fixes[0]["description"]["text"], "call `h` instead");
    assert_eq!(fixes[0]["properties"]["safety"], "unsafe");
    let changes = fixes[0]["artifactChanges"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "one for each file");
    assert_eq!(changes[0]["artifactLocation"]["uri"], "dir/a%20b.c");
    assert_eq!(
        changes[0]["replacements"],
        json!([
            {"deletedRegion": {"byteOffset": 3, "byteLength": 2}, "insertedContent": {"text": "h"}},
            {"deletedRegion": {"byteOffset": 9, "byteLength": 0}, "insertedContent": {"text": "x"}},
        ])
    );
    assert_eq!(changes[1]["replacements"], json!([{"deletedRegion": {"byteOffset": 0, "byteLength": 4}}]));
    assert!(run["results"][1].get("fixes").is_none());
}

#[test]
fn sarif_tells_what_was_not_read() {
    let mut made = Made::new();
    made.add_problems();
    let invocation = &made.sarif()["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let told = invocation["toolExecutionNotifications"].as_array().unwrap();
    assert_eq!(told[0]["level"], "error");
    assert_eq!(told[0]["descriptor"]["id"], "parse");
    assert_eq!(told[0]["message"]["text"], "broken.c was not checked: 'x.h' file not found\nhelp: build it");
    let place = &told[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "include/y.h");
    assert_eq!(place["region"]["startLine"], 4);
    assert_eq!(told[1]["descriptor"]["id"], "refused");
    assert_eq!(told[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "refused.c");
}

/// What no consumer may take for a placeholder or a link.
#[test]
fn messages_of_sarif_are_plain_text() {
    let mut made = Made::new();
    made.report.findings[1].message = "a {0} and [b](http://example.org)".to_owned();
    let text = &made.sarif()["results"][1]["message"]["text"];
    assert_eq!(text, "a {{0}} and [b]\\(http://example.org)");
}

// --- GitLab -----------------------------------------------------------------------------------------------------

#[test]
fn gitlab_has_what_its_documentation_asks_for() {
    let mut made = Made::new();
    made.add_problems();
    let issues: Value = serde_json::from_str(&made.text(Format::Gitlab)).unwrap();
    let issues = issues.as_array().unwrap();
    assert_eq!(issues.len(), 5);
    for issue in issues {
        let keys: Vec<&String> = issue.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["check_name", "description", "fingerprint", "location", "severity"]);
    }
    assert_eq!(issues[0]["description"], "`g` is called from `f`; call `h`");
    assert_eq!(issues[0]["check_name"], "a-rule");
    assert_eq!(issues[0]["location"], json!({"path": "dir/a b.c", "lines": {"begin": 2}}));
    let severities: Vec<&Value> = issues.iter().map(|issue| &issue["severity"]).collect();
    assert_eq!(severities, ["critical", "major", "info", "critical", "critical"]);
    assert_eq!(issues[3]["check_name"], "not-checked");
    assert_eq!(issues[4]["location"], json!({"path": "refused.c", "lines": {"begin": 1}}));
}

#[test]
fn sarif_says_what_is_new() {
    let mut made = Made::new();
    made.report.findings[0].state = Some(BaselineState::New);
    made.report.findings[1].state = Some(BaselineState::Updated);
    let run = made.sarif();
    let states: Vec<&Value> =
        run["results"].as_array().unwrap().iter().map(|result| &result["baselineState"]).collect();
    assert_eq!(states, [&json!("new"), &json!("updated"), &Value::Null]);
}

#[test]
fn what_a_report_is_compared_with_is_told() {
    let mut made = Made::new();
    let compared = |by_lines: Option<&str>| Comparison {
        baseline: Some(("known.json".to_owned(), 7)),
        upgrade: None,
        since: Some("HEAD (abc)".to_owned()),
        known: 1,
        not_read: vec!["new.c".to_owned()],
        by_lines: by_lines.map(str::to_owned),
    };
    made.report.summary.compared = Some(compared(None));
    let text = made.text(Format::Short);
    assert!(text.contains("cowrap: baseline known.json: 7 known findings not shown\n"), "{text}");
    assert!(text.contains("cowrap: changed, but not checked (no translation unit includes it): new.c\n"), "{text}");
    assert!(text.contains("cowrap: compared with HEAD (abc): 1 existing finding not shown\n"), "{text}");
    made.report.summary.compared = Some(compared(Some("it is \u{1b}[31mred")));
    let text = made.text(Format::Short);
    assert!(
        text.contains("by changed lines only, because it is \\u{1b}[31mred: 1 finding on other lines not shown"),
        "{text}"
    );
}

#[test]
fn fingerprints_are_unique_stable_and_the_same_in_both_formats() {
    let mut made = Made::new();
    let twin = made.report.findings[0].clone();
    made.report.findings.insert(1, twin);
    Fingerprints::give(&mut made.report.findings);
    let gitlab = |made: &Made| {
        let issues: Value = serde_json::from_str(&made.text(Format::Gitlab)).unwrap();
        let fingerprint = |issue: &Value| issue["fingerprint"].as_str().unwrap().to_owned();
        issues.as_array().unwrap().iter().map(fingerprint).collect::<Vec<_>>()
    };
    let before = gitlab(&made);
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 4, "{before:?}");
    let run = made.sarif();
    let sarif: Vec<&Value> =
        run["results"].as_array().unwrap().iter().map(|result| &result["partialFingerprints"]["finding/v2"]).collect();
    assert_eq!(sarif, before.iter().collect::<Vec<_>>());
    for finding in &mut made.report.findings {
        finding.primary.at.line += 40;
        finding.primary.at.column += 1;
        finding.message = "said in other words".to_owned();
    }
    Fingerprints::give(&mut made.report.findings);
    assert_eq!(gitlab(&made), before);
    made.report.findings[3].function = "renamed".to_owned();
    Fingerprints::give(&mut made.report.findings);
    assert_eq!(gitlab(&made)[..3], before[..3]);
    assert_ne!(gitlab(&made)[3], before[3]);
}

// --- GitHub -----------------------------------------------------------------------------------------------------

#[test]
fn github_gets_a_command_for_each_finding() {
    let mut made = Made::new();
    made.add_problems();
    let text = made.text(Format::Github);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..5],
        [
            "::error file=dir/a b.c,line=2,col=9,title=cowrap%3A a-rule::`g` is called from `f`%0Anote: dir/a b.c:1:1: \
             `main` calls `f`%0Anote: and 2 more%0Ahelp: call `h`",
            "::warning file=b%2Cc%3A100%25.c,line=1,col=1,title=cowrap%3A b-rule::50%25 of it, or: more",
            "::notice file=b%2Cc%3A100%25.c,line=9,col=2,title=cowrap%3A b-rule::it may be",
            "::error file=include/y.h,line=4,title=cowrap%3A not checked::broken.c was not checked: 'x.h' file not found",
            "::error file=refused.c,title=cowrap%3A not checked::refused.c was not checked: it is refused",
        ]
    );
    assert!(lines[5..].iter().all(|line| line.starts_with("cowrap: ")), "{text}");
}

// --- XML --------------------------------------------------------------------------------------------------------

#[test]
fn junit_has_a_failed_test_for_each_finding() {
    let mut made = Made::new();
    made.add_problems();
    let twin = made.report.findings[0].clone();
    made.report.findings.insert(1, twin);
    let elements = parse(&made.text(Format::Junit));
    let suite = elements.iter().find(|element| element.name == "testsuite").unwrap();
    assert_eq!((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("6", "4", "2"));
    let cases: Vec<&Element> = elements.iter().filter(|element| element.name == "testcase").collect();
    assert_eq!(cases.len(), 6);
    assert_eq!(cases[0].get("classname"), "a-rule");
    assert_eq!(cases[0].get("name"), "dir/a b.c: f, g");
    assert_eq!(cases[1].get("name"), "dir/a b.c: f, g (2)");
    assert_eq!((cases[0].get("file"), cases[0].get("line")), ("dir/a b.c", "2"));
    assert_eq!(cases[4].get("classname"), "not-checked");
    let failures: Vec<&Element> = elements.iter().filter(|element| element.name == "failure").collect();
    assert_eq!(failures.len(), 4);
    assert_eq!((failures[0].get("type"), failures[0].get("message")), ("error", "`g` is called from `f`"));
    for line in
        ["dir/a b.c:2:10: called here", "/usr/include/x:y.h:3:7: marked here", "note: and 2 more", "help: call `h`"]
    {
        assert!(failures[0].text.lines().any(|told| told == line), "{line}: {}", failures[0].text);
    }
    assert_eq!(elements.iter().filter(|element| element.name == "error").count(), 2);
}

#[test]
fn junit_without_findings_is_one_test_that_passed() {
    let mut made = Made::new();
    made.report.findings.clear();
    let elements = parse(&made.text(Format::Junit));
    let suite = elements.iter().find(|element| element.name == "testsuite").unwrap();
    assert_eq!((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("1", "0", "0"));
    assert_eq!(elements.iter().filter(|element| element.name == "testcase").count(), 1);
    assert!(!elements.iter().any(|element| element.name == "failure"));
}

#[test]
fn checkstyle_names_each_file_once() {
    let mut made = Made::new();
    made.add_problems();
    let elements = parse(&made.text(Format::Checkstyle));
    let files: Vec<&str> =
        elements.iter().filter(|element| element.name == "file").map(|file| file.get("name")).collect();
    assert_eq!(files, ["b,c:100%.c", "dir/a b.c", "include/y.h", "refused.c"]);
    let errors: Vec<&Element> = elements.iter().filter(|element| element.name == "error").collect();
    let severities: Vec<&str> = errors.iter().map(|error| error.get("severity")).collect();
    assert_eq!(severities, ["warning", "info", "error", "error", "error"]);
    assert_eq!((errors[2].get("line"), errors[2].get("column")), ("2", "9"));
    assert_eq!(errors[2].get("source"), "cowrap.a-rule");
    assert_eq!(errors[2].get("message"), "`g` is called from `f`");
    assert_eq!(errors[3].get("source"), "cowrap.not-checked");
}

// --- JSON, by lines ---------------------------------------------------------------------------------------------

#[test]
fn the_lines_of_jsonl_are_the_document_in_parts() {
    let mut made = Made::new();
    made.add_problems();
    let mut document: Value = serde_json::from_str(&made.text(Format::Json)).unwrap();
    let lines: Vec<Value> = made.text(Format::Jsonl).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let findings = document.as_object_mut().unwrap().remove("findings").unwrap();
    assert_eq!(lines[..lines.len() - 1], findings.as_array().unwrap()[..]);
    assert_eq!(lines[lines.len() - 1], document);
}

// --- all of them ------------------------------------------------------------------------------------------------

#[test]
fn hostile_text_stays_text() {
    let made = Made::hostile();
    for format in ALL {
        let text = made.text(*format);
        let bad = text.chars().find(|c| {
            // JSON says such characters in its own way, and XML and terminals get none of them.
            let is_json = matches!(format, Format::Json | Format::Jsonl | Format::Gitlab | Format::Sarif);
            c.is_ascii_control() && *c != '\n' || !is_json && (c.is_control() && *c != '\n' || *c == '\u{202e}')
        });
        assert_eq!(bad, None, "{format:?}");
    }
    for format in [Format::Junit, Format::Checkstyle] {
        let text = made.text(format);
        assert!(!text.contains("<script>") && !text.contains("]]>") && !text.contains("<!--"), "{format:?}");
        assert!(!text.contains(['\u{fffe}', '\u{ffff}']), "{format:?}");
        let elements = parse(&text);
        let known = ["testsuites", "testsuite", "testcase", "failure", "error", "checkstyle", "file"];
        assert!(elements.iter().all(|element| known.contains(&element.name.as_str())), "{elements:?}");
        let message =
            elements.iter().map(|element| element.get("message")).find(|message| !message.is_empty()).unwrap();
        assert!(message.contains("<script>alert('&')</script>]]><!--"), "{message}");
    }
    let github = made.text(Format::Github);
    assert_eq!(github.lines().filter(|line| line.starts_with("::")).count(), 2, "{github}");
    for line in github.lines().filter(|line| line.starts_with("::")) {
        let (properties, _) = line["::error ".len()..].split_once("::").unwrap();
        let names: Vec<&str> = properties.split(',').map(|property| property.split_once('=').unwrap().0).collect();
        assert!(names == ["file", "line", "col", "title"] || names == ["file", "title"], "{names:?}");
    }
    let result = &made.sarif()["results"][0];
    let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("%FF%1B%5B31m%0D%0A%3A%3Aset-output"), "{uri}");
    assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"%-._~/".contains(&byte)), "{uri}");
    let gitlab: Value = serde_json::from_str(&made.text(Format::Gitlab)).unwrap();
    assert!(gitlab[0]["location"]["path"].as_str().unwrap().starts_with("\u{fffd}\u{1b}[31m\r\n::set-output"));
}

#[test]
fn very_long_text_is_not_cut() {
    let mut made = Made::new();
    let long = "<&\u{e9}".repeat(500_000);
    made.report.findings[0].message = long.clone();
    for format in ALL.iter().filter(|format| **format != Format::Human) {
        assert!(made.text(*format).len() > long.len(), "{format:?}");
    }
}

#[test]
fn the_same_report_gives_the_same_bytes_anywhere() {
    let (one, other) = (Made::new(), Made::new());
    assert_ne!(one.report.tree, other.report.tree);
    for format in ALL {
        assert_eq!(one.text(*format), other.text(*format), "{format:?}");
    }
}

/// What the rules find in a whole tree, in every format.
#[test]
fn a_real_report_can_be_read() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/miniblock");
    let request = Request::new(Input::Database(Some(tree.clone())), tree);
    let report = cowrap_session::check(&request, &Silent).unwrap();
    let count = report.findings.len();
    let paths: BTreeSet<PathBuf> = report.findings.iter().map(|finding| finding.primary.at.path.clone()).collect();
    let made = Made { _scratch: tempfile::tempdir().unwrap(), report };
    let run = made.sarif();
    assert_eq!(run["results"].as_array().unwrap().len(), count);
    assert!(run["results"].as_array().unwrap().iter().all(|result| result["ruleIndex"].is_u64()));
    assert!(run["tool"]["driver"]["rules"].as_array().unwrap().len() > 20);
    let issues: Value = serde_json::from_str(&made.text(Format::Gitlab)).unwrap();
    let unique: BTreeSet<&str> =
        issues.as_array().unwrap().iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(unique.len(), count);
    let junit = parse(&made.text(Format::Junit));
    assert_eq!(junit.iter().filter(|element| element.name == "failure").count(), count);
    let checkstyle = parse(&made.text(Format::Checkstyle));
    assert_eq!(checkstyle.iter().filter(|element| element.name == "error").count(), count);
    assert_eq!(checkstyle.iter().filter(|element| element.name == "file").count(), paths.len());
    assert_eq!(made.text(Format::Jsonl).lines().count(), count + 1);
}

// --- helpers ----------------------------------------------------------------------------------------------------

/// A report, and the tree that it is about.
pub struct Made {
    _scratch: TempDir,
    pub report: Report,
}

impl Made {
    /// Three findings, one of each level.
    pub fn new() -> Made {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir(scratch.path().join("dir")).unwrap();
        std::fs::write(scratch.path().join("dir/a b.c"), "first\n/* \u{e9} */ g();\n").unwrap();
        let mut rich = finding("a-rule", Level::Error, "`g` is called from `f`", span("dir/a b.c", 2, 10));
        rich.secondary.push(Label { at: span("/usr/include/x:y.h", 3, 7), text: "marked here".to_owned() });
        rich.notes.push(Note { text: "`main` calls `f`".to_owned(), at: Some(span("dir/a b.c", 1, 1)) });
        rich.notes.push(Note { text: "and 2 more".to_owned(), at: None });
        rich.help.push("call `h`".to_owned());
        let edit = |path: &str, start, end, text: &str| Edit { path: path.into(), start, end, text: text.to_owned() };
        rich.fixes.push(Fix {
            title: "call `h` instead".to_owned(),
            safety: Safety::Unsafe,
            actions: Vec::new(),
            edits: vec![edit("dir/a b.c", 3, 5, "h"), edit("dir/a b.c", 9, 9, "x"), edit("x.h", 0, 4, "")],
            obstacle: None,
        });
        rich.fixes.push(Fix {
            title: "do what cannot be done".to_owned(),
            safety: Safety::Safe,
            actions: Vec::new(),
            edits: Vec::new(),
            obstacle: Some("it cannot".to_owned()),
        });
        let warning = finding("b-rule", Level::Warning, "50% of it, or: more", span("b,c:100%.c", 1, 1));
        let mut note = finding("b-rule", Level::Note, "it may be", span("b,c:100%.c", 9, 2));
        note.function = String::new();
        let report = Report {
            findings: vec![rich, warning, note],
            problems: Vec::new(),
            summary: Summary::default(),
            tree: Tree { root: scratch.path().to_path_buf(), build: None },
            details: Details::default(),
            is_partial: false,
            rules: rules(),
            overlay: Overlay::default(),
            files: HashSet::new(),
        };
        Made { _scratch: scratch, report }
    }

    /// A report in which every text is hostile.
    pub fn hostile() -> Made {
        let mut made = Made::new();
        let mut path = b"\xff".to_vec();
        path.extend(HOSTILE.replace(['\u{0}', '/'], "").into_bytes());
        let path = PathBuf::from(OsStr::from_bytes(&path));
        let at = Span { path: path.clone(), line: 3, column: 4 };
        let mut finding = finding("a-rule", Level::Error, HOSTILE, at.clone());
        finding.function = HOSTILE.to_owned();
        finding.primary.text = HOSTILE.to_owned();
        finding.secondary.push(finding.primary.clone());
        finding.notes.push(Note { text: HOSTILE.to_owned(), at: Some(at) });
        finding.notes.push(Note { text: HOSTILE.to_owned(), at: None });
        finding.help.push(HOSTILE.to_owned());
        made.report.findings = vec![finding];
        let message = HOSTILE.to_owned();
        made.report.problems =
            vec![Problem { file: path, kind: ProblemKind::Failed, message, at: None, help: Some("ask".to_owned()) }];
        made
    }

    pub fn add_problems(&mut self) {
        self.report.problems = vec![
            Problem {
                file: "broken.c".into(),
                kind: ProblemKind::Parse,
                message: "'x.h' file not found".to_owned(),
                at: Some(span("include/y.h", 4, 10)),
                help: Some("build it".to_owned()),
            },
            Problem {
                file: "refused.c".into(),
                kind: ProblemKind::Refused,
                message: "it is refused".to_owned(),
                at: None,
                help: None,
            },
        ];
    }

    pub fn text(&self, format: Format) -> String {
        let mut out = Vec::new();
        render(&self.report, format, Style::PLAIN, false, &mut out).unwrap();
        String::from_utf8(out).expect("every format is UTF-8")
    }

    /// The only run of the SARIF document.
    fn sarif(&self) -> Value {
        let mut document: Value = serde_json::from_str(&self.text(Format::Sarif)).unwrap();
        assert_eq!(document["version"], "2.1.0");
        assert_eq!(document["runs"].as_array().unwrap().len(), 1);
        document["runs"][0].take()
    }
}

pub fn span(path: &str, line: u32, column: u32) -> Span {
    Span { path: PathBuf::from(path), line, column }
}

pub fn finding(rule: &str, level: Level, message: &str, at: Span) -> Finding {
    let subjects = vec![Role::Caller.of("f"), Role::Callee.of("g")];
    Finding::new(rule, level, "f", subjects, message.to_owned(), Label { at, text: "called here".to_owned() })
}

/// An element of XML, with the text that stands directly in it.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

impl Element {
    /// An attribute's value; empty when it has none.
    fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// The elements of a document, in the order in which they begin; fails when it is not well-formed.
fn parse(text: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(text);
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let element = |tag: &quick_xml::events::BytesStart<'_>| Element {
        name: tag.name().as_ref().to_owned(),
        attributes: tag
            .attributes()
            .map(|attribute| attribute.expect("an attribute"))
            .map(|attribute| {
                let name = attribute.key.as_ref().to_owned();
                (name, attribute.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned())
            })
            .collect(),
        text: String::new(),
    };
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}")) {
            Event::Decl(_) => {}
            Event::Start(tag) => {
                open.push(elements.len());
                elements.push(element(&tag));
            }
            Event::Empty(tag) => elements.push(element(&tag)),
            Event::End(_) => drop(open.pop().expect("something to end")),
            Event::Text(more) => {
                if let Some(inner) = open.last() {
                    elements[*inner].text.push_str(&more);
                }
            }
            Event::GeneralRef(entity) => {
                let entity = format!("&{};", &*entity);
                let inner = open.last().expect("within an element");
                elements[*inner].text.push_str(&quick_xml::escape::unescape(&entity).unwrap());
            }
            Event::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(open.is_empty());
    elements
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _units: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}
