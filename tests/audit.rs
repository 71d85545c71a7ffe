//! The repository audits itself: what the documentation promises of the code is checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cowrap::config::Settings;
use cowrap::driver::{self, Gate, Input, Progress, Request, SharingRequest};
use cowrap::rules::RULES;

/// Which other modules each module may use. The drawing in `docs/ARCHITECTURE.md` says the same.
const MAY_USE: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("cache", &["source"]),
    ("config", &["facts", "findings"]),
    ("compdb", &["source"]),
    ("scan", &["source"]),
    ("clang", &[]),
    ("facts", &["source"]),
    ("extract", &["clang", "facts"]),
    ("index", &["cache", "clang", "compdb", "config", "extract", "facts", "scan", "source"]),
    ("program", &["facts", "source"]),
    ("effects", &["config", "facts", "program", "source"]),
    ("suppression", &["rewrite"]),
    ("git", &["source"]),
    ("wrapgen", &["config"]),
    ("rewrite", &[]),
    ("plan", &["findings", "rewrite", "source"]),
    ("findings", &[]),
    ("fix", &["findings", "source"]),
    ("words", &["config", "effects", "findings", "program"]),
    ("rules", &["config", "effects", "facts", "findings", "program", "words"]),
    ("questions", &["config", "effects", "facts", "findings", "program", "words"]),
    ("render", &["driver", "findings", "questions", "source"]),
    (
        "driver",
        &[
            "cache",
            "clang",
            "compdb",
            "config",
            "effects",
            "facts",
            "findings",
            "fix",
            "git",
            "index",
            "plan",
            "program",
            "questions",
            "rules",
            "source",
            "suppression",
            "wrapgen",
        ],
    ),
    ("cli", &["cache", "config", "driver", "findings", "fix", "questions", "render", "source"]),
];

/// Crates that only some modules may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("clang_sys", &["clang"]),
    ("codespan_reporting", &["render"]),
    ("ariadne", &["render"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("schemars", &["config"]),
    ("crc32fast", &["cache", "driver"]),
    ("postcard", &["index", "driver", "facts"]),
    ("indicatif", &["cli"]),
    ("httpdate", &["cli"]),
    ("petgraph", &["plan"]),
    ("toml", &["config"]),
    ("minijinja", &["wrapgen"]),
    ("rustix", &["source"]),
    ("sha2", &["findings", "source"]),
    ("similar", &["cli", "fix", "git"]),
];

#[test]
fn modules_use_only_what_they_may() {
    for (module, files) in modules() {
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            panic!("src/{module} is not in the table of modules");
        };
        for (file, text) in files {
            for used in words_after(&text, "crate::") {
                let own = used == module || allowed.contains(&used.as_str());
                let known = MAY_USE.iter().any(|(name, _)| *name == used);
                assert!(own || !known, "{}: `{module}` must not use `{used}`", file.display());
            }
        }
    }
}

#[test]
fn crates_stay_where_they_belong() {
    for (module, files) in modules() {
        for (file, text) in files {
            for (name, allowed) in CONFINED {
                let used = text.contains(&format!("{name}::"));
                assert!(!used || allowed.contains(&module.as_str()), "{}: uses `{name}`", file.display());
            }
        }
    }
}

#[test]
fn unsafe_code_is_in_clang_alone() {
    for (module, files) in modules() {
        for (file, text) in files {
            let has_unsafe = ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|form| text.contains(form));
            assert!(!has_unsafe || module == "clang", "{}: has unsafe code", file.display());
        }
    }
}

#[test]
fn each_rule_has_a_file_a_page_and_fixtures() {
    let names: BTreeSet<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    let listed: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert!(listed.is_sorted(), "the table of rules is sorted by name");
    let sources = stems("src/rules", "rs").into_iter().map(|stem| stem.replace('_', "-"));
    let sources: BTreeSet<String> = sources.filter(|stem| stem != "mod" && stem != "report").collect();
    assert_eq!(names, sources, "src/rules");
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
    let report = driver::check(&request, &Silent).unwrap();
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

/// The sources of each module below `src`, without comments.
fn modules() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let mut found: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    let src = root().join("src");
    let mut directories = vec![src.clone()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let below = path.strip_prefix(&src).unwrap().with_extension("");
            let module = below.iter().next().unwrap().to_str().unwrap().to_owned();
            if module == "lib" || module == "main" {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            found.entry(module).or_default().push((path, code.join("\n")));
        }
    }
    assert!(found.len() > 10);
    found
}

/// The identifiers that follow a text.
fn words_after(text: &str, before: &str) -> BTreeSet<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    text.split(before).skip(1).map(word).collect()
}

fn stems(directory: &str, extension: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path());
    let wanted = entries.filter(|path| path.extension().is_some_and(|end| end == extension));
    wanted.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}
