//! The repository audits itself: what the documentation promises of the code is checked here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cowrap_analysis::rules::RULES;
use cowrap_packs::Settings;
use cowrap_session::{Gate, Input, Progress, Request, SharingRequest};

#[test]
fn unsafe_code_is_in_clang_alone() {
    for (file, text) in sources() {
        let has_unsafe = ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|form| text.contains(form));
        let is_clang = file.starts_with(root().join("src/frontend/clang"));
        assert!(!has_unsafe || is_clang, "{}: has unsafe code", file.display());
    }
}

#[test]
fn each_rule_has_a_file_a_page_and_fixtures() {
    let names: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    let listed: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert!(listed.is_sorted(), "the table of rules is sorted by name");
    let sources = stems("src/analysis/rules", "rs").into_iter().map(|stem| stem.replace('_', "-"));
    let sources: BTreeSet<String> = sources.filter(|stem| stem != "mod" && stem != "report").collect();
    assert_eq!(names, sources, "src/analysis/rules");
    assert_eq!(names, stems("rules", "md"), "rules/*.md");
    let fixtures = std::fs::read_dir(root().join("testdata/rules")).unwrap();
    let fixtures: BTreeSet<String> = fixtures.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, fixtures, "testdata/rules");
    for rule in RULES {
        assert!(rule.page.starts_with(&format!("# {}\n", rule.name)), "the page of {} begins with its name", rule.name);
        assert!(rule.page.lines().count() > 20, "the page of {} is more than a stub", rule.name);
    }
}

/// Messages begin in lower case or with a name in backquotes, state a fact, and have no full stop.
#[test]
fn messages_have_one_form() {
    let tree = root().join("testdata/miniblock");
    let request = Request {
        input: Input::Database(Some(tree.clone())),
        working_directory: tree,
        root: None,
        report_on: Vec::new(),
        only: None,
        exclude: None,
        is_partial: false,
        pack: None,
        inputs: Vec::new(),
        enable: Vec::new(),
        settings: Settings::default(),
        gate: Gate::default(),
        jobs: 1,
        sharing: SharingRequest::Yes,
        cache: None,
    };
    let report = cowrap_session::check(&request, &Silent).unwrap();
    let mut seen = 0;
    for finding in &report.findings {
        let labels = finding.secondary.iter().chain([&finding.primary]).map(|label| &label.text);
        let notes = finding.notes.iter().map(|note| &note.text);
        for text in labels.chain(notes).chain(&finding.help).chain([&finding.message]) {
            let first = text.chars().next().expect("a message says something");
            assert!(first == '`' || first.is_lowercase(), "{text}");
            assert!(!text.ends_with(['.', '!', ' ']), "{text}");
            seen += 1;
        }
        assert!(!finding.help.is_empty(), "{}: says what to do", finding.message);
    }
    assert!(seen > 0);
    for rule in RULES {
        assert!(!rule.summary.ends_with('.') && rule.summary.starts_with(char::is_lowercase), "{}", rule.summary);
    }
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _units: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The sources below `src`, without comments.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut directories = vec![root().join("src")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
                found.push((path, code.join("\n")));
            }
        }
    }
    assert!(found.len() > 100);
    found
}

fn stems(directory: &str, extension: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path());
    let wanted = entries.filter(|path| path.extension().is_some_and(|end| end == extension));
    wanted.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}
