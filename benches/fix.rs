//! How long it takes to plan and to apply many edits: 10,000 marks in 1,000 files, without reading C.
//!
//!     cargo bench --bench fix
//!
//! * `COWRAP_BENCH_RUNS`: how many rounds; 7 by default. The medians are what to quote.
//!
//! Beside it, in the same rounds, the same files are read and written without any edit, each synchronised to the disk: what is
//! left when planning costs nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cowrap_base::files::Texts;
use cowrap_fix::{Change, EditSet, GroupId, Planner, write_all};
use cowrap_report::{Action, Fix, Safety, Span};

const FILES: usize = 1000;
const FUNCTIONS: usize = 10;

fn main() {
    // `cargo test --benches` passes arguments of its own, and `cargo bench` passes `--bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("skipped: run it with cargo bench");
        return;
    }
    let runs: usize = std::env::var("COWRAP_BENCH_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(7).max(1);
    let mut rounds: Vec<[Duration; 4]> = (0..runs).map(|_| round()).collect();
    let mut median = |part: usize| {
        rounds.sort_by_key(|round| round[part]);
        rounds[rounds.len() / 2][part].as_secs_f64()
    };
    let [plan, merge, write, plain] = [median(0), median(1), median(2), median(3)];
    println!("{} edits in {FILES} files, medians of {runs}:", FILES * FUNCTIONS);
    println!(
        "  planned {plan:.3} s, merged and applied {merge:.3} s, written {write:.3} s; together {:.3} s",
        plan + merge + write
    );
    println!("  read and written without an edit {plain:.3} s: ratio {:.2}", (plan + merge + write) / plain);
}

/// Planning, merging and applying, writing; and reading and writing alone.
fn round() -> [Duration; 4] {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let root = scratch.path();
    let fixes: Vec<Fix> = (0..FILES).flat_map(|file| write_file(root, file)).collect();

    let start = Instant::now();
    let texts = Texts::new(root, None);
    let includes = BTreeSet::new();
    let planner = Planner { texts: &texts, is_generated: &|_| false, lists: &[], includes: &includes };
    let planned: Vec<_> = fixes.iter().map(|fix| planner.edits(fix).expect("it can be marked")).collect();
    let plan = start.elapsed();

    let start = Instant::now();
    let mut set = EditSet::new();
    for (number, edits) in planned.iter().enumerate() {
        set.add_group(GroupId(number as u32), edits).expect("no two collide");
    }
    let change = |path: &Path| {
        let old = texts.original(path).expect("it was read").to_vec();
        let new = set.apply(path, &old).expect("within the text");
        Change { path: path.to_path_buf(), old, new }
    };
    let changes: Vec<Change> = set.paths().map(change).collect();
    let merge = start.elapsed();

    let start = Instant::now();
    let outcome = write_all(root, &changes);
    let write = start.elapsed();
    assert!(outcome.is_complete() && outcome.written.len() == FILES, "{outcome:?}");

    let start = Instant::now();
    for change in &changes {
        let path = root.join(&change.path);
        let text = std::fs::read(&path).expect("readable");
        let mut file = std::fs::File::create(&path).expect("writable");
        file.write_all(&text).and_then(|()| file.sync_all()).expect("written");
    }
    [plan, merge, write, start.elapsed()]
}

/// Writes a file of some functions, and gives a fix for each.
fn write_file(root: &Path, number: usize) -> Vec<Fix> {
    let path = PathBuf::from(format!("file{number}.c"));
    let (mut text, mut fixes) = (String::new(), Vec::new());
    for function in 0..FUNCTIONS {
        let name = format!("device{number}_handle_request{function}");
        let line = text.lines().count() as u32 + 1;
        let head = format!("static int {name}(struct Device *device, int sector,");
        let indentation = " ".repeat("static int (".len() + name.len());
        let _ = write!(text, "{head}\n{indentation}void *buffer)\n{{\n    return device_wait(device);\n}}\n\n");
        let at = vec![Span { path: path.clone(), line, column: 12 }];
        let action = Action::MarkFunction { name: name.clone(), mark: "coroutine_fn".to_owned(), at };
        fixes.push(Fix { title: name, safety: Safety::Safe, actions: vec![action], edits: Vec::new(), obstacle: None });
    }
    std::fs::write(root.join(path), text).expect("writable");
    fixes
}
