//! C texts from a generator that nests, repeats and lies: whatever they do, the neighbours' findings are those of a tree
//! without them.
//!
//! `COWRAP_HOSTILE_TEXTS=1000` checks so many texts, at all sizes; `COWRAP_HOSTILE_FIRST` is the seed of the first.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use cowrap_fuzz_checks::TARGETS;
use serde_json::{Value, json};

use crate::support::hostile_c::{HostileText, hostile_text};

/// How many texts a run has, besides the neighbours.
const AT_ONCE: usize = 12;

/// How many texts are checked by default, and how often their pieces repeat something.
const TEXTS: usize = 36;
const MOST: usize = 2_000;

/// The tree's own headers, and units that break a rule.
const OWN: &[(&str, &str)] = &[
    (
        "include/co.h",
        "#ifndef CO_H\n#define CO_H\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\
         #define coroutine_fn\n#define coroutine_mixed_fn\n#define no_coroutine_fn\n\
         void coroutine_fn own_co(void);\nvoid no_coroutine_fn own_blocks(void);\nint own_other(void);\n#endif\n",
    ),
    (
        "neighbour.c",
        "#include \"co.h\"\nint own_one(void);\nint own_one(void)\n{\n    own_co();\n    return own_other();\n}\n",
    ),
    (
        "other.c",
        "#include \"co.h\"\nvoid coroutine_fn own_two(void);\nvoid coroutine_fn own_two(void)\n{\n    own_blocks();\n}\n\
         int own_other(void)\n{\n    own_two();\n    return 0;\n}\n",
    ),
];

/// A tree with hostile units among others.
struct Tree {
    scratch: tempfile::TempDir,
}

/// What a run says.
#[derive(Debug)]
struct Run {
    status: Option<i32>,
    out: String,
    err: String,
    report: Value,
}

impl Tree {
    fn new(texts: &[(u64, HostileText)]) -> Tree {
        let tree = Tree { scratch: tempfile::tempdir().expect("a directory") };
        for directory in ["tree/include", "tmp", "out"] {
            std::fs::create_dir_all(tree.path(directory)).expect("a directory");
        }
        let mut units = Vec::new();
        for (path, text) in OWN {
            tree.write(path, text.as_bytes());
            units.extend(path.ends_with(".c").then(|| path.to_string()));
        }
        for (seed, hostile) in texts {
            units.push(unit(*seed));
            tree.write(&unit(*seed), &hostile.text);
            for (name, text) in &hostile.headers {
                tree.write(name, text);
            }
        }
        // The hostile ones are everywhere.
        units.sort_by_key(|unit| unit.bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())));
        let root = tree.path("tree");
        let entry = |unit: &String| json!({ "directory": root, "file": unit, "arguments": ["cc", "-fblocks", "-Iinclude", "-c", unit] });
        let entries: Vec<Value> = units.iter().map(entry).collect();
        tree.write("compile_commands.json", serde_json::to_string(&entries).expect("plain data").as_bytes());
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn write(&self, name: &str, text: &[u8]) {
        std::fs::write(self.path("tree").join(name), text).expect("a file");
    }

    /// Checks the tree. Nothing is left behind in the tree or beside it.
    fn check(&self) -> Run {
        let before = self.files();
        let report = self.path("out/report.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.args(["check", "-p", ".", "--no-cache", "--format", "short"]);
        command.args(["--limit-time", "2", "--limit-memory", "1024", "--limit-depth", "2000"]);
        command.arg("--output").arg(format!("json={}", report.display()));
        command.current_dir(self.path("tree")).env("TMPDIR", self.path("tmp"));
        let output = command.output().expect("cowrap runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (out, err) = (text(output.stdout), text(output.stderr));
        let json = std::fs::read(&report).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let _ = std::fs::remove_file(report);
        let run = Run { status: output.status.code(), out, err, report: json.unwrap_or_default() };
        assert_eq!(self.files(), before, "no file is left behind");
        run
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut open = vec![self.scratch.path().to_path_buf()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory") {
                let path = entry.expect("an entry").path();
                open.extend((path.is_dir() && !path.is_symlink()).then(|| path.clone()));
                found.insert(path);
            }
        }
        found
    }
}

impl Run {
    /// The findings in the tree's own files.
    fn own(&self) -> Vec<&Value> {
        let findings = self.report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_own = |finding: &&Value| OWN.iter().any(|(path, _)| finding["primary"]["at"]["path"] == *path);
        findings.iter().filter(is_own).collect()
    }
}

fn unit(seed: u64) -> String {
    format!("hostile{seed}.c")
}

#[test]
fn neighbours_of_hostile_texts_are_checked() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse().expect("a number"));
    let wanted: Option<u64> = number("COWRAP_HOSTILE_TEXTS");
    let first: u64 = number("COWRAP_HOSTILE_FIRST").unwrap_or(0);
    let (count, most) = wanted.map_or((TEXTS as u64, MOST), |count| (count, usize::MAX));
    let quiet = Tree::new(&[]).check();
    assert_eq!(quiet.status, Some(1), "{quiet:?}");
    assert!(quiet.own().len() >= 3, "{quiet:?}");
    let seeds: Vec<u64> = (first..first + count).collect();
    for seeds in seeds.chunks(AT_ONCE) {
        let texts: Vec<(u64, HostileText)> = seeds.iter().map(|seed| (*seed, hostile_text(*seed, most))).collect();
        let said: Vec<String> = texts.iter().map(|(seed, text)| format!("{seed}: {}", text.what)).collect();
        let said = said.join("\n  ");
        let run = Tree::new(&texts).check();
        let shown = || format!("{:?} {}\n{}\n  {said}", run.status, start(&run.out), start(&run.err));
        assert!(matches!(run.status, Some(0..=2)), "{}", shown());
        assert_eq!(run.own(), quiet.own(), "{}", shown());
        for line in run.out.lines().chain(run.err.lines()) {
            assert!(!line.starts_with("::"), "{line}\n{}", shown());
            assert!(!line.contains('\u{1b}'), "{line:?}\n{}", shown());
        }
        assert!(!run.err.contains("panicked"), "{}", shown());
        let problems = run.report["problems"].as_array().expect("problems");
        for problem in problems {
            let file = problem["file"].as_str().unwrap_or_default();
            assert!(seeds.iter().any(|seed| file == unit(*seed)), "{file} is no hostile unit\n{}", shown());
        }
        let failed: BTreeSet<&str> = problems.iter().filter_map(|problem| problem["file"].as_str()).collect();
        let summary = &run.report["summary"];
        assert_eq!(summary["units"], json!(seeds.len() + 2), "{}", shown());
        assert_eq!(summary["failed_units"], json!(failed.len()), "each unit that failed is named: {}", shown());
        assert_eq!(run.status == Some(2), !failed.is_empty(), "{}", shown());
    }
}

/// The readers that use no compiler get the same texts, as they are.
#[test]
fn readers_of_text_read_hostile_texts() {
    for seed in 0..150 {
        let hostile = hostile_text(seed, MOST);
        let headers = hostile.headers.iter().map(|(_, text)| text);
        for text in headers.chain([&hostile.text]).filter(|text| text.len() < 1 << 16) {
            for name in ["lex", "scan", "suppression", "read_header"] {
                let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
                let held = std::panic::catch_unwind(|| (target.check)(text));
                assert!(held.is_ok(), "{name}, seed {seed}: {}", hostile.what);
            }
        }
    }
}

/// The first characters of an output.
fn start(text: &str) -> String {
    text.chars().take(3_000).collect()
}
