//! The C fixtures of `testdata/`: what they expect is written in them, as comments.
//!
//! `/* expect: <level> <rule>: <text> */` at the end of a line says that a finding of this level and rule has its
//! primary label on this line; each `^` after `expect` goes one line up. The text, which may be left out, is part
//! of what the finding says. Whatever is reported and not expected fails, and so does the opposite.
//!
//! Those below `testdata/packs/` are for other packs than QEMU's: each directory has its pack in `pack.toml`, or the name
//! of a built-in one.
//!
//! `/* flags: -fblocks */` gives the file's arguments. `/* unknown calls: 2 */` and `/* partly known calls: 1 */` say
//! how many calls through pointers the summary counts as such.
//!
//! With `UPDATE_EXPECT=1` in the environment, a test rewrites the comments to expect what is reported, to be read in the diff. A
//! text that is still part of the finding stays; one that is not gives way to the most similar part of what the finding says.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use cowrap_base::files::write_whole;
use cowrap_packs::Pack;
use cowrap_report::{Finding, Level, Report, RuleInfo};
use cowrap_session::{BaselineRequest, Input, Progress, Request};

use crate::support::expect::is_update;

#[test]
fn guards() {
    for file in c_files(&testdata().join("guards")) {
        check_files(std::slice::from_ref(&file), std::slice::from_ref(&file), &[]);
    }
}

#[test]
fn pointers() {
    for case in sorted_entries(&testdata().join("pointers")) {
        let (files, sources) =
            if case.is_dir() { (c_files(&case), sorted_entries(&case)) } else { (vec![case.clone()], vec![case]) };
        check_files(&files, &sources, &[]);
    }
}

#[test]
fn rules() {
    for rule in rule_infos() {
        let directory = testdata().join("rules").join(&rule.name);
        let mut hits = 0;
        for case in sorted_entries(&directory) {
            // A case with a database is a whole tree.
            if case.join("compile_commands.json").is_file() {
                hits += check_tree(&case).iter().filter(|finding| finding.rule == rule.name).count();
                continue;
            }
            // A case of several files is a directory, and its headers can expect something too.
            let (files, sources) =
                if case.is_dir() { (c_files(&case), sorted_entries(&case)) } else { (vec![case.clone()], vec![case]) };
            let enable: &[&str] = if rule.opt_in { &[&rule.name] } else { &[] };
            hits += check_files(&files, &sources, enable).iter().filter(|finding| finding.rule == rule.name).count();
        }
        assert!(hits > 0, "no fixture below {} has a finding of its rule", directory.display());
    }
}

#[test]
fn packs() {
    for directory in sorted_entries(&testdata().join("packs")) {
        let own = directory.join("pack.toml");
        let name = directory.file_name().expect("entries have names");
        let pack = if own.is_file() { own } else { PathBuf::from(name) };
        let cases = sorted_entries(&directory).into_iter();
        for case in cases.filter(|case| case.is_dir() || case.extension().is_some_and(|end| end == "c")) {
            let (files, sources) =
                if case.is_dir() { (c_files(&case), sorted_entries(&case)) } else { (vec![case.clone()], vec![case]) };
            let mut request = files_request(&files, &[]);
            request.packs = vec![pack.clone()];
            compare(&run(&request), &testdata(), &sources);
        }
    }
}

#[test]
fn miniblock() {
    check_database("miniblock", "compile_commands.json");
}

#[test]
fn miniblock_built_with_gcc() {
    check_database("miniblock", "compile_commands_gcc.json");
}

#[test]
fn miniblock_legacy() {
    check_database("miniblock-legacy", "compile_commands.json");
}

#[test]
fn miniblock_legacy_built_with_gcc() {
    check_database("miniblock-legacy", "compile_commands_gcc.json");
}

/// Every rule that runs by itself has hits in the tree that users learn from.
#[test]
fn miniblock_shows_every_rule() {
    let report = run(&database("miniblock", "compile_commands.json"));
    let shown: BTreeSet<&str> = report.findings.iter().map(|finding| finding.rule.as_str()).collect();
    // A baseline would hide what the tree is there to show.
    let rules = rule_infos().iter().filter(|rule| !rule.opt_in && rule.name != "stale-baseline");
    let rules: BTreeSet<&str> = rules.map(|rule| rule.name.as_str()).collect();
    assert_eq!(shown, rules);
}

/// A finding that a comment asks for.
#[derive(Debug)]
struct Expected {
    path: PathBuf,
    line: u32,
    level: Level,
    rule: String,
    text: String,
}

/// A comment that asks for a finding, where it is written.
struct Marker {
    /// The line that it is in, from 0.
    number: usize,
    /// The whole comment.
    written: String,
    /// The line of the finding, from 1.
    line: u32,
    level: Level,
    rule: String,
    text: String,
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _units: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}

pub fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn request(input: Input, root: PathBuf) -> Request {
    Request { root: Some(root.clone()), jobs: 2, ..Request::new(input, root) }
}

fn database(tree: &str, name: &str) -> Request {
    let root = testdata().join(tree);
    request(Input::Database(Some(root.join(name))), root)
}

fn run(request: &Request) -> Report {
    let report = cowrap_session::check(request, &Silent).unwrap_or_else(|error| panic!("{request:?}: {error}"));
    assert!(report.problems.is_empty(), "{:#?}", report.problems);
    report
}

/// Files as one program, with the vocabulary of `testdata/include`.
fn files_request(files: &[PathBuf], enable: &[&str]) -> Request {
    let mut flags = vec!["-I".into(), testdata().join("include").into_os_string(), "-O2".into()];
    flags.extend(own_flags(files));
    let mut request = request(Input::Files { files: files.to_vec(), flags }, testdata());
    request.enable = enable.iter().map(|rule| (*rule).to_owned()).collect();
    request
}

/// The arguments that files ask for.
pub fn own_flags(files: &[PathBuf]) -> Vec<OsString> {
    let own = files.iter().filter_map(|file| directive(file, "flags"));
    own.flat_map(|own| own.split(' ').map(OsString::from).collect::<Vec<_>>()).collect()
}

/// What a comment of a file says: `/* name: value */`.
fn directive(file: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let value = text.lines().find_map(|line| line.strip_prefix("/* ")?.strip_prefix(name)?.strip_prefix(": "));
    value.map(|value| value.trim_end_matches("*/").trim().to_owned())
}

/// A directory with a database, and a baseline if there is one.
fn tree_request(case: &Path) -> Request {
    let mut request = request(Input::Database(Some(case.to_path_buf())), testdata());
    let baseline = case.join(".cowrap-baseline.json");
    if baseline.is_file() {
        request.gate.baseline = BaselineRequest::File(baseline);
    }
    request
}

/// Checks files as one program against what the sources expect; gives what was found.
fn check_files(files: &[PathBuf], sources: &[PathBuf], enable: &[&str]) -> Vec<Finding> {
    let report = run(&files_request(files, enable));
    let shared = sorted_entries(&testdata().join("include")).into_iter();
    let shared: Vec<PathBuf> = shared.filter(|path| path.is_file()).collect();
    compare(&report, &testdata(), &[&shared, sources].concat());
    let unknown = &report.summary.packs[0];
    for (name, actual) in [("unknown calls", unknown.pointer_calls), ("partly known calls", unknown.partly_known_calls)]
    {
        if let Some(count) = files.iter().find_map(|file| directive(file, name)) {
            assert_eq!(actual.to_string(), count, "{name} in {files:?}");
        }
    }
    report.findings
}

/// Checks a whole tree against what its files expect; gives what was found.
fn check_tree(case: &Path) -> Vec<Finding> {
    let report = run(&tree_request(case));
    compare(&report, &testdata(), &sorted_entries(case));
    report.findings
}

fn check_database(tree: &str, name: &str) {
    let report = run(&database(tree, name));
    let root = testdata().join(tree);
    let mut sources = Vec::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in sorted_entries(&directory) {
            if entry.is_dir() {
                directories.push(entry);
            } else {
                sources.push(entry);
            }
        }
    }
    compare(&report, &root, &sources);
}

/// The rules as users of QEMU's pack see them.
pub fn rule_infos() -> &'static [RuleInfo] {
    static INFOS: OnceLock<Vec<RuleInfo>> = OnceLock::new();
    INFOS.get_or_init(|| cowrap_analysis::rules::infos(&Pack::qemu().expect("it is compiled in")))
}

/// The reports of all fixtures.
pub fn reports() -> Vec<Report> {
    let mut reports: Vec<Report> = ["miniblock", "miniblock-legacy"]
        .iter()
        .map(|tree| run(&database(tree, "compile_commands.json")))
        .chain(c_files(&testdata().join("guards")).into_iter().map(|file| run(&files_request(&[file], &[]))))
        .chain(c_files(&testdata().join("pointers")).into_iter().map(|file| run(&files_request(&[file], &[]))))
        .collect();
    for rule in rule_infos() {
        let enable: &[&str] = if rule.opt_in { &[&rule.name] } else { &[] };
        for case in sorted_entries(&testdata().join("rules").join(&rule.name)) {
            let request = match (case.join("compile_commands.json").is_file(), case.is_dir()) {
                (true, _) => tree_request(&case),
                (false, true) => files_request(&c_files(&case), enable),
                (false, false) => files_request(&[case], enable),
            };
            reports.push(run(&request));
        }
    }
    reports
}

/// Fails unless the findings are those that the sources expect, or makes the sources expect them.
fn compare(report: &Report, root: &Path, sources: &[PathBuf]) {
    if is_update() {
        // Tests that run at the same time have files in common.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        sources.iter().for_each(|source| update(source, root, &report.findings));
    }
    let mut expected: Vec<Expected> = sources.iter().flat_map(|source| expectations(source, root)).collect();
    let mut complaints = Vec::new();
    for finding in &report.findings {
        let matches = |expected: &Expected| {
            expected.path == finding.primary.at.path
                && expected.line == finding.primary.at.line
                && expected.level == finding.level
                && expected.rule == finding.rule
                && says(finding, &expected.text)
        };
        match expected.iter().position(matches) {
            Some(position) => drop(expected.swap_remove(position)),
            None => complaints.push(format!(
                "unexpected {}:{}: {:?} {}: {}",
                finding.primary.at.path.display(),
                finding.primary.at.line,
                finding.level,
                finding.rule,
                finding.message
            )),
        }
    }
    complaints.extend(expected.iter().map(|missing| format!("missing {missing:?}")));
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Whether a text is part of anything that a finding says.
fn says(finding: &Finding, text: &str) -> bool {
    texts(finding).any(|said| said.contains(text))
}

/// Everything that a finding says, its message first.
pub fn texts(finding: &Finding) -> impl Iterator<Item = &String> {
    let labels = finding.secondary.iter().chain([&finding.primary]).map(|label| &label.text);
    let notes = finding.notes.iter().map(|note| &note.text);
    std::iter::once(&finding.message).chain(labels).chain(notes).chain(&finding.help)
}

/// Rewrites the comments of a file so that they expect what is found in it.
fn update(path: &Path, root: &Path, findings: &[Finding]) {
    let Ok(old) = std::fs::read_to_string(path) else { return };
    let file = path.strip_prefix(root).expect("fixtures are below the root");
    let mut open: Vec<&Finding> = findings.iter().filter(|finding| finding.primary.at.path == file).collect();
    let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
    // Those whose text fits go first: they must not lose their finding to others.
    let mut markers = markers(&old, path);
    markers.sort_by_key(|marker| !open.iter().any(|finding| fits(marker, finding) && says(finding, &marker.text)));
    for marker in markers {
        let same = open.iter().position(|finding| fits(&marker, finding) && says(finding, &marker.text));
        let other = || open.iter().position(|finding| fits(&marker, finding));
        let new = match same.or_else(other).map(|position| open.remove(position)) {
            Some(finding) if says(finding, &marker.text) => continue,
            Some(finding) => marker.written.replace(&marker.text, &most_similar(finding, &marker.text)),
            None => String::new(),
        };
        let line = &mut lines[marker.number];
        *line = line.replacen(&marker.written, &new, 1).trim_end().to_owned();
    }
    for finding in open {
        let level = format!("{:?}", finding.level).to_lowercase();
        let line = &mut lines[finding.primary.at.line as usize - 1];
        line.push_str(&format!(" /* expect: {level} {}: {} */", finding.rule, finding.message));
    }
    let new = lines.join("\n") + "\n";
    if new.trim_end() != old.trim_end() {
        write_whole(path, new.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// Whether a comment expects a finding, whatever it says.
fn fits(marker: &Marker, finding: &Finding) -> bool {
    (marker.line, marker.level, &marker.rule) == (finding.primary.at.line, finding.level, &finding.rule)
}

/// The sentence of a finding that has the most words of another text; quoted names count most. Without what comes before the first
/// and after the last of these words, as long as it stays as long as the text was.
fn most_similar(finding: &Finding, text: &str) -> String {
    let wanted: BTreeSet<&str> = text.split(' ').collect();
    let weight = |word: &str| if word.contains('`') { 4 } else { 1 };
    let part = |said: &str| -> (usize, String) {
        let words: Vec<&str> = said.split(' ').collect();
        let common: Vec<usize> = (0..words.len()).filter(|number| wanted.contains(words[*number])).collect();
        let part = match (common.first(), common.last()) {
            (Some(first), Some(last)) if last - first + 1 >= wanted.len() => words[*first..=*last].join(" "),
            _ => said.to_owned(),
        };
        (common.iter().map(|number| weight(words[*number])).sum(), part)
    };
    let parts: Vec<(usize, String)> = texts(finding).map(|said| part(said)).collect();
    // Of several that are as similar, the first: the message comes before the rest.
    let best = parts.into_iter().rev().max_by_key(|(weight, _)| *weight);
    best.map_or_else(|| finding.message.clone(), |(_, part)| part)
}

/// What the comments of a file expect.
fn expectations(path: &Path, root: &Path) -> Vec<Expected> {
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    let file = path.strip_prefix(root).expect("fixtures are below the root");
    let expected =
        |Marker { line, level, rule, text, .. }| Expected { path: file.to_path_buf(), line, level, rule, text };
    markers(&text, path).into_iter().map(expected).collect()
}

/// The comments of a text that expect findings.
fn markers(text: &str, path: &Path) -> Vec<Marker> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for marker in line.split("/* expect").skip(1) {
            let up = marker.bytes().take_while(|byte| *byte == b'^').count();
            let rest = marker[up..].strip_prefix(": ").unwrap_or_else(|| panic!("{}: {line}", path.display()));
            let inner = rest.split("*/").next().expect("split gives at least one");
            let rest = inner.trim();
            let (level, rest) = rest.split_once(' ').unwrap_or_else(|| panic!("{}: {line}", path.display()));
            let level = match level {
                "error" => Level::Error,
                "warning" => Level::Warning,
                "note" => Level::Note,
                other => panic!("{}: no level is called {other}", path.display()),
            };
            let (rule, text) = rest.split_once(": ").unwrap_or((rest, ""));
            // Other packs name rules in their own way.
            let is_known = || rule_infos().iter().any(|known| known.name == rule);
            assert!(path.starts_with(testdata().join("packs")) || is_known(), "{}: no rule {rule}", path.display());
            found.push(Marker {
                number,
                written: format!("/* expect{}: {inner}*/", "^".repeat(up)),
                line: (number + 1 - up) as u32,
                level,
                rule: rule.to_owned(),
                text: text.to_owned(),
            });
        }
    }
    found
}

fn sorted_entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

fn c_files(directory: &Path) -> Vec<PathBuf> {
    sorted_entries(directory).into_iter().filter(|path| path.extension().is_some_and(|end| end == "c")).collect()
}
