//! Where control can be, in which context: the C files of `testdata/contexts/`, each directory with a pack of its own.
//!
//! Each call of `at` has a comment in its line that says in which contexts control can be there, from each context in
//! which the body can be entered: `/* in-out, out-out */` is a place that is always outside. A call of `at` without a
//! comment is in the context of the entry. Likewise, `/* returns: in-out, out-out */` behind the head of a function says
//! in which contexts it returns, and `/* asserts: in */` what it asserts. A line that begins with a call of `at` must be
//! reached as the call is. The same facts must come out with precompiled headers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cowrap_facts::{Body, Context, FileFacts, PathCondition, ReadingId};
use cowrap_packs::{Pack, PackSet};

use crate::support::sharing::compare_with;

#[test]
fn control_is_where_the_comments_say() {
    let contexts = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/contexts");
    let mut wrong = Vec::new();
    for directory in sorted(&contexts).into_iter().filter(|path| path.is_dir()) {
        let pack = Pack::read(&directory.join("pack.toml")).unwrap_or_else(|error| panic!("{error}"));
        // By itself, and behind a pack that says nothing.
        let silent = Pack::read(&contexts.join("silent.toml")).unwrap_or_else(|error| panic!("{error}"));
        check(&directory, &PackSet::new(pack.clone(), Vec::new()), 0, &mut wrong);
        check(&directory, &PackSet::new(silent, vec![pack]), 1, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let mut entries: Vec<PathBuf> = entries.collect();
    entries.sort();
    entries
}

/// Reads the files of a directory as one of several packs does, and adds what differs from their comments to `wrong`.
fn check(directory: &Path, packs: &PackSet, reading: u16, wrong: &mut Vec<String>) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut entries = Vec::new();
    for path in sorted(directory) {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        std::fs::copy(&path, scratch.path().join(&name)).expect("a copy");
        if name.ends_with(".c") {
            let command = format!("cc -std=gnu11 -I. -c {name}");
            entries.push(serde_json::json!({ "directory": scratch.path(), "file": name, "command": command }));
        }
    }
    let database = serde_json::to_string(&entries).expect("plain data");
    std::fs::write(scratch.path().join("compile_commands.json"), database).expect("a file");
    let compared = compare_with(scratch.path(), packs);
    assert!(compared.differing.is_empty(), "{:?}", compared.differing);
    let mut read = 0;
    for (file, unit) in &compared.plain {
        assert_eq!(unit.parse_status.errors, 0, "{}: {:?}", file.display(), unit.parse_status.first_error);
        for facts in unit.file_facts.iter().map(|facts| facts.facts()) {
            let name = facts.files[0].file_name().expect("a file").to_owned();
            let path = directory.join(&name);
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let (expected, actual) = (expected(&text), actual(facts, ReadingId(reading)));
            read += actual.len();
            wrong.extend(
                differing_lines(facts, ReadingId(reading), &text)
                    .iter()
                    .map(|differing| format!("{}:{differing}, reading {reading}", path.display())),
            );
            for line in expected.keys().chain(actual.keys().filter(|line| !expected.contains_key(line))) {
                let said = |all: &BTreeMap<u32, Vec<String>>| all.get(line).cloned().unwrap_or_default();
                if said(&expected) != said(&actual) {
                    let (expected, actual) = (said(&expected).join("; "), said(&actual).join("; "));
                    wrong.push(format!(
                        "{}:{line}: reading {reading}: expected `{expected}`, found `{actual}`",
                        path.display()
                    ));
                }
            }
        }
    }
    assert!(read > 0, "{} has no calls of `at`", directory.display());
}

const UNCHANGED: &str = "in-in, out-out";

/// What the comments say, by line.
fn expected(text: &str) -> BTreeMap<u32, Vec<String>> {
    let mut expected: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let comments: Vec<&str> = line.split("/* ").skip(1).filter_map(|comment| comment.split(" */").next()).collect();
        let mut said: Vec<String> = comments.iter().map(|comment| (*comment).to_owned()).collect();
        if line.contains("at();") && said.is_empty() {
            said.push(UNCHANGED.to_owned());
        }
        said.retain(|said| {
            said.starts_with("in-") || said.starts_with("out-") || said.contains(": ") || said == "never"
        });
        if !said.is_empty() {
            expected.insert(number, said);
        }
    }
    expected
}

/// The lines that begin with a call of `at`, and are reached in another way.
fn differing_lines(facts: &FileFacts, reading: ReadingId, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut differing = Vec::new();
    for body in &facts.bodies {
        let body = body.readings.iter().find(|other| other.reading == reading).map_or(body, |other| &other.body);
        for call in body.calls.iter().filter(|call| facts.symbols[call.callee.0 as usize].name == "at") {
            let line = call.location.line;
            let region = body.regions.iter().find(|region| (region.first..=region.last).contains(&line));
            let always = PathCondition::always_with(cowrap_facts::feasible(&body.flags));
            let found = region.map_or(always, |region| region.condition);
            if lines[line as usize - 1].trim_start().starts_with("at();") && found != call.condition {
                differing.push(format!(
                    "{line}: the line: {}, the call: {}",
                    describe(found),
                    describe(call.condition)
                ));
            }
        }
    }
    differing
}

/// What the facts say, by line, as the comments would.
fn actual(facts: &FileFacts, reading: ReadingId) -> BTreeMap<u32, Vec<String>> {
    let mut actual: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let read_as = |body: &Body| {
        let other = body.readings.iter().find(|other| other.reading == reading);
        other.map_or(body.clone(), |other| other.body.clone())
    };
    for body in facts.bodies.iter().map(read_as) {
        let head = actual.entry(body.location.line).or_default();
        let asserted = body.assertion.map(|assertion| format!("{0}-{0}", word(assertion.context)));
        if describe(body.exit) != UNCHANGED && Some(describe(body.exit)) != asserted {
            head.push(format!("returns: {}", describe(body.exit)));
        }
        if let Some(assertion) = body.assertion {
            head.push(format!("asserts: {}", word(assertion.context)));
        }
        for call in body.calls.iter().filter(|call| facts.symbols[call.callee.0 as usize].name == "at") {
            actual.entry(call.location.line).or_default().push(describe(call.condition));
        }
    }
    actual.retain(|_, said| !said.is_empty());
    actual
}

fn word(context: Context) -> &'static str {
    match context {
        Context::Inside => "in",
        Context::Outside => "out",
    }
}

/// A condition as a comment says it, whatever the flags are.
fn describe(condition: PathCondition) -> String {
    let pairs = Context::ALL.into_iter().flat_map(|entry| Context::ALL.map(|at| (entry, at)));
    let pairs = pairs.filter(|(entry, at)| condition.values_at(*entry, *at) != 0);
    let words: Vec<String> = pairs.map(|(entry, at)| format!("{}-{}", word(entry), word(at))).collect();
    if words.is_empty() { "never".to_owned() } else { words.join(", ") }
}
