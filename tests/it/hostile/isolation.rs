//! A translation unit that crashes, hangs or eats memory costs that unit.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::reading::{Hostile, UNIT, breach};
use crate::cli::two_libclangs;
use crate::support::sharing::weight;

/// Small limits, so that tests are quick.
const LIMITS: [&str; 4] = ["--limit-time", "1", "--limit-memory", "250"];

/// A unit, and what is said of it; `None` if it may be read as well, since versions of libclang differ.
type Kind = (&'static str, String, Option<&'static str>);

/// Units that each do something else to the parser.
fn kinds() -> Vec<Kind> {
    let nested = |open: &str, close: &str, times: usize| {
        format!("int f(void) {{ return {}1{}; }}\n", open.repeat(times), close.repeat(times))
    };
    let blocks = format!("void f(void) {}{}\n", "{".repeat(2_000), "}".repeat(2_000));
    let terms = format!("int f(int a) {{ return a{}; }}\n", " + a".repeat(50_000));
    let mut labels = "void f(void) {\n".to_owned();
    (0..20_000).for_each(|label| write!(labels, "l{label}: ").unwrap());
    labels += ";\n}\n";
    let mut doubling = String::new();
    (0..40).for_each(|number| writeln!(doubling, "#define M{number} M{} M{}", number + 1, number + 1).unwrap());
    doubling += "#define M40 +1\nint x = 0 M0;\n";
    let with = |name: &'static str, text: &str, said| (name, text.to_owned(), said);
    vec![
        ("parentheses.c", nested("(", ")", 30_000), None),
        ("negations.c", nested("!", "", 30_000), None),
        ("casts.c", nested("(int)", "", 30_000), None),
        ("calls.c", nested("f(", ")", 3_000).replace("f(void)", "f(int a)"), None),
        ("blocks.c", blocks, None),
        ("terms.c", terms, None),
        ("labels.c", labels, None),
        with("crash.c", "#pragma clang __debug crash\n", Some("the parser crashed with SIG")),
        with("fatal.c", "#pragma clang __debug llvm_fatal_error\n", Some("the parser ")),
        with("overflow.c", "#pragma clang __debug overflow_stack\n", Some("the")),
        ("doubling.c", doubling, Some("reading this file exceeded --limit-")),
        with("tree.c", "#include \"t0.h\"\n", Some("reading this file exceeded --limit-time 1")),
        with("array.c", "int a[] = { [0 ... 1ULL << 40] = 1 };\n", Some("reading this file exceeded --limit-")),
        with("zero.c", "#include \"zero.h\"\n", Some("include/zero.h: it is a device, not a regular file")),
        with("pipe.c", "#include \"pipe.h\"\n", Some("include/pipe.h: it is a pipe, not a regular file")),
        with(
            "macro-zero.c",
            "#define Z \"zero.h\"\n#include Z\n",
            Some("reading this file exceeded --limit-memory 250"),
        ),
        with("stdin.c", "#include \"/dev/stdin\"\n", Some("")),
        with("macro-stdin.c", "#define S \"/proc/self/fd/0\"\n#include S\n", Some("cannot open file")),
        with("terminal.c", "#define T \"/dev/tty\"\n#include T\n", Some("cannot open file")),
    ]
}

/// A tree with these units, and others that have a finding each.
fn tree(kinds: &[Kind]) -> (Hostile, BTreeSet<String>) {
    let tree = Hostile::new();
    tree.pipe("include/pipe.h");
    tree.link("/dev/zero", "include/zero.h");
    for number in 0..24 {
        let next = format!("#include \"t{}.h\"\n", number + 1);
        tree.write(&format!("include/t{number}.h"), &format!("{next}{next}"));
    }
    tree.write("include/t24.h", "");
    let mut expected = BTreeSet::from([breach("a.c", "unit")]);
    for word in ["harp", "lute", "oboe", "tuba"] {
        tree.write(&format!("{word}.c"), &UNIT.replace("unit", word));
        expected.insert(breach(&format!("{word}.c"), word));
    }
    kinds.iter().for_each(|(name, text, _)| tree.write(name, text));
    tree.database();
    (tree, expected)
}

/// Each libclang that is there, as the environment names it.
fn libclangs() -> Vec<Vec<(&'static str, &'static str)>> {
    match two_libclangs() {
        Some(directories) => directories.into_iter().map(|directory| vec![("LIBCLANG_PATH", directory)]).collect(),
        None => vec![Vec::new()],
    }
}

#[test]
fn each_kind_costs_its_unit() {
    let kinds = kinds();
    let (tree, expected) = tree(&kinds);
    for (libclang, sharing) in libclangs().into_iter().zip([&["--no-cache"][..], &["--no-cache", "--no-sharing"]]) {
        let check = [&["check", "-p", "build", "--format", "short"], &LIMITS[..], sharing].concat();
        let said = tree.run_with(&check, &libclang);
        assert_eq!(said.status, 2, "{}", said.text);
        assert_eq!(said.findings.iter().cloned().collect::<BTreeSet<_>>(), expected, "{}", said.text);
        for (name, _, message) in &kinds {
            let named = said.text.lines().find(|line| line.starts_with(name) && line.contains("not checked: "));
            let is_named =
                named.or_else(|| said.text.lines().find(|line| line.starts_with("  in ") && line.contains(name)));
            if let Some(message) = message {
                assert!(is_named.is_some() && said.text.contains(message), "{name}: {message}\n{}", said.text);
            }
        }
        let said = tree.run_with(&[&check[..], &["--allow-incomplete"]].concat(), &libclang);
        assert_eq!(said.status, 1, "{}", said.text);
    }
}

#[test]
fn one_that_waits_does_not_make_the_others_wait() {
    let (tree, expected) = tree(&[]);
    for number in 0..6 {
        tree.write(&format!("pipe{number}.c"), "#define P \"pipe.h\"\n#include P\n");
    }
    tree.database();
    let started = Instant::now();
    let said = tree.check(&["--no-cache"]);
    assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
    assert_eq!(said.status, 2);
    assert_eq!(said.findings.iter().cloned().collect::<BTreeSet<_>>(), expected, "{}", said.text);
    assert_eq!(said.text.matches("the parser waited for something").count(), 1, "{}", said.text);
    assert!((0..6).any(|number| said.text.contains(&format!("pipe{number}.c"))), "{}", said.text);
}

/// A header that crashes the parser is read for a precompiled header first.
#[test]
fn a_shared_header_that_crashes_costs_its_units() {
    let (tree, expected) = tree(&[]);
    tree.write("include/weight.h", &weight(1));
    tree.write(
        "include/evil.h",
        "#ifndef EVIL_H\n#define EVIL_H\n#include \"weight.h\"\n#pragma clang __debug crash\n#endif\n",
    );
    let evil: Vec<String> = (0..5).map(|number| format!("evil{number}.c")).collect();
    for name in &evil {
        tree.write(name, "#include \"co.h\"\n#include \"evil.h\"\nint f(void);\n");
    }
    tree.database();
    let said = tree.check(&["--no-cache"]);
    assert_eq!(said.status, 2);
    assert_eq!(said.findings.iter().cloned().collect::<BTreeSet<_>>(), expected, "{}", said.text);
    assert!(said.text.contains(&format!("  in {}\n", evil.join(", "))), "{}", said.text);
}

#[test]
fn what_the_parser_prints_is_not_shown_and_what_it_writes_is_not_kept() {
    let module = "#pragma clang module build evil\nmodule evil {}\n#pragma clang module contents\n\
                  #pragma clang module begin evil\nint x;\n#pragma clang module end\n\
                  #pragma clang module endbuild\n#pragma clang module import evil\n";
    let dump = "int f(void) __attribute__((annotate(\"\\n::error::evil\\n\")));\n#pragma clang __debug dump f\n";
    let (tree, expected) = tree(&[("module.c", module.to_owned(), None), ("dump.c", dump.to_owned(), None)]);
    let home = tempfile::tempdir().unwrap();
    let place = home.path().to_str().unwrap();
    let variables: Vec<(&str, &str)> = ["HOME", "TMPDIR", "XDG_CACHE_HOME"].map(|name| (name, place)).into();
    let said = tree.run_with(&["check", "-p", "build", "--format", "short", "--no-cache"], &variables);
    assert_eq!(said.findings.iter().cloned().collect::<BTreeSet<_>>(), expected, "{}", said.text);
    assert!(!said.text.contains("::error") && !said.text.contains("FunctionDecl"), "{}", said.text);
    assert_eq!(files_below(home.path()), BTreeSet::new());
    let left: Vec<String> = files_below(tree.root()).into_iter().filter(|name| name.ends_with(".pcm")).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn files_below(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files_below(&entry.path())),
            false => drop(found.insert(entry.path().display().to_string())),
        }
    }
    found
}

#[test]
fn the_summary_has_memory_and_limits() {
    let said = Hostile::new().check(&["--no-cache", "-v", "--limit-memory", "3000"]);
    assert!(said.text.contains("MiB in a worker, of which each may take 3000 MiB (--limit-memory)"), "{}", said.text);
}

#[test]
fn without_isolation_the_findings_are_the_same() {
    let (tree, expected) = tree(&[]);
    let said = tree.check(&["--no-cache", "--no-isolation"]);
    assert_eq!(said.status, 1, "{}", said.text);
    assert_eq!(said.findings.iter().cloned().collect::<BTreeSet<_>>(), expected, "{}", said.text);
}

#[test]
fn a_worker_is_nothing_for_people() {
    let output = Command::new(env!("CARGO_BIN_EXE_cowrap")).arg("--worker").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("cowrap: error: --worker is for processes"));
    let help = Command::new(env!("CARGO_BIN_EXE_cowrap")).arg("--help").output().unwrap();
    assert!(!String::from_utf8_lossy(&help.stdout).contains("--worker"));
}

// Tests with processes of Linux.

/// Starts cowrap in a tree.
#[cfg(target_os = "linux")]
fn start(tree: &Hostile, out: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
    command.args(["check", "-p", "build", "--format", "short", "--no-cache"]).args(arguments);
    command.current_dir(tree.root()).stdin(Stdio::null()).stderr(Stdio::null());
    command.stdout(std::fs::File::create(out).unwrap()).spawn().unwrap()
}

/// The processes that a process has started and that still run.
#[cfg(target_os = "linux")]
fn children(parent: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let of_task = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let found: Vec<String> = tasks.map(of_task).collect();
    found.iter().flat_map(|found| found.split_ascii_whitespace()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(target_os = "linux")]
fn kill(process: u32) {
    // It may have ended meanwhile.
    let _ = Command::new("kill").args(["-KILL", &process.to_string()]).stderr(Stdio::null()).status();
}

/// Whether a process still runs. One that ended may wait for its parent to ask.
#[cfg(target_os = "linux")]
fn runs(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[cfg(target_os = "linux")]
#[test]
fn killed_workers_change_nothing() {
    let (tree, expected) = tree(&[]);
    for word in ["viol", "horn", "bell", "drum", "gong", "fife"] {
        tree.write(&format!("{word}.c"), &UNIT.replace("unit", word));
    }
    tree.database();
    let expected = {
        let quiet: BTreeSet<String> = tree.check(&["--no-cache"]).findings.into_iter().collect();
        assert!(quiet.is_superset(&expected) && quiet.len() == 11, "{quiet:?}");
        quiet
    };
    let out = tree.root().join("report");
    for moment in 0..8 {
        let mut child = start(&tree, &out, &[]);
        // Two kills, so that no unit is hit as often as it is tried.
        for _ in 0..2 {
            let end = Instant::now() + Duration::from_secs(30);
            let mut workers = children(child.id());
            while workers.is_empty() && child.try_wait().unwrap().is_none() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(1));
                workers = children(child.id());
            }
            std::thread::sleep(Duration::from_millis(17 * moment));
            let workers = children(child.id());
            workers.get(moment as usize % workers.len().max(1)).copied().into_iter().for_each(kill);
        }
        let status = child.wait().unwrap();
        let report = std::fs::read_to_string(&out).unwrap();
        let findings: BTreeSet<String> = report.lines().filter(|line| line.ends_with(']')).map(str::to_owned).collect();
        assert_eq!((status.code(), &findings), (Some(1), &expected), "{moment}: {report}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_run_leaves_no_worker() {
    let (tree, _) = tree(&kinds().into_iter().filter(|(name, ..)| *name == "tree.c").collect::<Vec<_>>());
    let mut child = start(&tree, &tree.root().join("report"), &["--only", "tree.c"]);
    let end = Instant::now() + Duration::from_secs(30);
    // Until the worker is busy.
    let is_busy = |process: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let time = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(11)?.parse::<u64>().ok());
        time.is_some_and(|ticks| ticks > 30)
    };
    let mut workers = Vec::new();
    while !workers.iter().any(is_busy) {
        assert!(Instant::now() < end && child.try_wait().unwrap().is_none(), "no worker is busy");
        std::thread::sleep(Duration::from_millis(10));
        workers = children(child.id());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while workers.iter().any(|worker| runs(*worker)) {
        assert!(Instant::now() < end, "workers are left: {workers:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
