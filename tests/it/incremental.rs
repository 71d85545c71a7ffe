//! Incremental runs: which units are parsed after a change, and that the report is always that of a
//! run without a cache.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cowrap_base::cache::CacheLocation;
use cowrap_report::Report;
use cowrap_session::{
    FixRequest, Fixed, Input, Place, Progress, Request, Shard, SharingRequest, UnitSelection, unified_diff,
};

/// Counts the units that are parsed.
#[derive(Default)]
struct Count(Cell<usize>);

impl Progress for Count {
    fn start(&self, units: usize) {
        self.0.set(self.0.get() + units);
    }
    fn step(&self) {}
    fn finish(&self) {}
}

/// A tree that may be changed, and a cache.
struct Checkout {
    scratch: tempfile::TempDir,
    cache: PathBuf,
}

const UNITS: usize = 8;

impl Checkout {
    /// All units include one header, and every other one includes a second.
    fn new(cache: &Path) -> Checkout {
        let scratch = tempfile::tempdir().unwrap();
        let checkout = Checkout { scratch, cache: cache.to_path_buf() };
        checkout.write("cowrap.toml", "");
        checkout.write("include/qemu/osdep.h", OSDEP);
        checkout.write("include/even.h", "#ifndef EVEN_H\n#define EVEN_H\nint even(void); /* of all */\n#endif\n");
        for unit in 0..UNITS {
            checkout.write(&format!("u{unit}.c"), &unit_text(unit, ""));
        }
        checkout.database("");
        checkout
    }

    fn root(&self) -> &Path {
        self.scratch.path()
    }

    /// Writes a file, and creates its directory.
    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn database(&self, flags: &str) {
        let entry = |unit: usize| {
            let directory = self.root().join("build");
            let arguments = format!("cc -I ../include {flags} -c ../u{unit}.c -o u{unit}.o");
            format!(r#"{{"directory": {directory:?}, "file": "../u{unit}.c", "command": "{arguments}"}}"#)
        };
        let entries: Vec<String> = (0..UNITS).map(entry).collect();
        self.write("build/compile_commands.json", &format!("[{}]", entries.join(",\n")));
    }

    fn request(&self) -> Request {
        Request {
            jobs: 2,
            cache: Some(CacheLocation { directory: self.cache.clone(), limit: 1 << 30 }),
            ..Request::new(Input::Database(Some(self.root().join("build"))), self.root().to_path_buf())
        }
    }

    /// Checks with the cache, and compares the report with that of a run without it. The second
    /// result is the number of units that were parsed.
    fn check(&self) -> (Report, usize) {
        // Longer than the clock ticks of file systems: files that are younger than a run are not
        // cached.
        std::thread::sleep(Duration::from_millis(40));
        let count = Count::default();
        let report = cowrap_session::check(&self.request(), &count).unwrap();
        let alone = Request { cache: None, sharing: SharingRequest::No, ..self.request() };
        let plain = cowrap_session::check(&alone, &Count::default()).unwrap();
        assert_eq!(reported(&report), reported(&plain));
        assert_eq!(report.problems, plain.problems);
        assert_eq!(report.summary, plain.summary);
        assert_eq!(report.details.parsing.marks, plain.details.parsing.marks);
        (report, count.0.get())
    }

    fn parsed(&self) -> usize {
        self.check().1
    }
}

/// The findings as they are reported: without what only the analysis uses.
fn reported(report: &Report) -> serde_json::Value {
    serde_json::to_value(&report.findings).unwrap()
}

const OSDEP: &str = "#ifndef OSDEP_H\n#define OSDEP_H\n#define coroutine_fn\n#define TIMES 1 /* once */\n\
     void coroutine_fn co_work(void);\nstatic inline int twice(int x) { return 2 * x; }\n#endif\n";

/// A unit with one call that breaks the rule.
fn unit_text(unit: usize, more: &str) -> String {
    let even = if unit.is_multiple_of(2) { "#include \"even.h\"\n" } else { "" };
    format!("#include \"qemu/osdep.h\"\n{even}void run{unit}(void);\nvoid run{unit}(void) {{ co_work(); }}\n{more}")
}

fn new() -> (tempfile::TempDir, Checkout) {
    let cache = tempfile::tempdir().unwrap();
    let checkout = Checkout::new(cache.path());
    let (report, parsed) = checkout.check();
    assert_eq!((report.findings.len(), parsed), (UNITS, UNITS), "{:#?}", report.findings);
    assert_eq!(checkout.parsed(), 0);
    (cache, checkout)
}

#[test]
fn only_changed_units_are_parsed() {
    let (_cache, checkout) = new();
    checkout.write("u3.c", &unit_text(3, "void more(void) { co_work(); }\n"));
    let (report, parsed) = checkout.check();
    assert_eq!((report.findings.len(), parsed), (UNITS + 1, 1));
    // Back and forth, as between branches.
    checkout.write("u3.c", &unit_text(3, ""));
    assert_eq!(checkout.parsed(), 0);
    checkout.write("u3.c", &unit_text(3, "void more(void) { co_work(); }\n"));
    assert_eq!(checkout.parsed(), 0);
    // A new time of the file does not matter.
    checkout.write("include/qemu/osdep.h", OSDEP);
    assert_eq!(checkout.parsed(), 0);
    checkout.write("include/even.h", "#ifndef EVEN_H\n#define EVEN_H\nint even(int);\n#endif\n");
    assert_eq!(checkout.parsed(), UNITS / 2);
}

#[test]
fn changed_comments_parse_nothing_unless_code_moves() {
    let (_cache, checkout) = new();
    checkout.write("include/qemu/osdep.h", &OSDEP.replace("/* once */", "/* one time only */"));
    assert_eq!(checkout.parsed(), 0);
    checkout.write("include/qemu/osdep.h", &OSDEP.replace("/* once */", "/* on\nce */"));
    assert_eq!(checkout.parsed(), UNITS);
    checkout.write("include/qemu/osdep.h", &OSDEP.replace("TIMES 1", "TIMES 2"));
    assert_eq!(checkout.parsed(), UNITS);
}

#[test]
fn a_cached_report_is_about_the_current_texts() {
    let (_cache, checkout) = new();
    let osdep = |comment: &str| checkout.write("include/qemu/osdep.h", &OSDEP.replace("/* once */", comment));
    // A cached report with changed comments is cached, too.
    for comment in ["/* twice */", "/* three times */", "/* once */"] {
        osdep(comment);
        assert_eq!(checkout.parsed(), 0);
    }
    // Code after a comment moves in bytes, and stays in its line. Edits of fixes have byte offsets.
    for comment in ["/* a */", "/* longer */", ""] {
        let text = format!("{comment}\n{}", unit_text(3, ""));
        checkout.write("u3.c", &text);
        checkout.check();
    }
    // Suppressions appear, change and disappear, in files with findings and in others.
    for comment in
        ["/* cowrap: allow(coroutine-call) why */", "/* cowrap: allow(coroutine-call) */", "/* nothing */", ""]
    {
        checkout.write("u3.c", &unit_text(3, "").replace("\n", &format!(" {comment}\n")));
        checkout.check();
        osdep(comment);
        checkout.check();
    }
    // Definitions of marks are searched for in comments, too.
    osdep("/* once\n#define coroutine_fn */");
    assert_eq!(checkout.parsed(), UNITS);
    osdep("/* once\n#define no_coroutine_fn */");
    checkout.check();
    osdep("/* once\nno more */");
    checkout.check();
    osdep("/* changed */");
    checkout.write("u3.c", &unit_text(3, "void more(void) { co_work(); }\n"));
    assert_eq!(checkout.check().0.findings.len(), UNITS + 1);
}

#[test]
fn added_and_removed_headers_are_noticed() {
    let (_cache, checkout) = new();
    // Beside the file, which is earlier on the search path.
    checkout.write("even.h", "void coroutine_fn even(void);\n");
    let (_, parsed) = checkout.check();
    assert_eq!(parsed, UNITS / 2);
    std::fs::remove_file(checkout.root().join("even.h")).unwrap();
    assert_eq!(checkout.parsed(), 0);
    // A new directory, and then a file in it.
    std::fs::create_dir(checkout.root().join("qemu")).unwrap();
    assert_eq!(checkout.parsed(), UNITS);
    checkout
        .write("qemu/osdep.h", &OSDEP.replace("co_work(void);", "co_work(void);\nvoid coroutine_fn co_more(void);"));
    assert_eq!(checkout.parsed(), UNITS);
    std::fs::remove_dir_all(checkout.root().join("qemu")).unwrap();
    assert_eq!(checkout.parsed(), 0);
    std::fs::remove_file(checkout.root().join("include/even.h")).unwrap();
    let (report, parsed) = checkout.check();
    assert_eq!((report.problems.len(), parsed), (UNITS / 2, UNITS / 2));
    // Units with errors are cached, too, and their missing headers are noticed when they are back.
    assert_eq!(checkout.parsed(), 0);
    checkout.write("include/even.h", "int even(void);\n");
    assert_eq!(checkout.parsed(), UNITS / 2);
}

#[test]
fn headers_that_change_places_are_noticed() {
    let (_cache, checkout) = new();
    let header = |path: &str, mark: &str| {
        let name = if path.contains("even") { "even" } else { "odd" };
        checkout.write(path, &format!("#pragma once\nvoid {mark}{name}(void);\n"));
    };
    header("include/even.h", "");
    header("include/odd.h", "");
    checkout.write(
        "u0.c",
        "#include \"qemu/osdep.h\"\n#include \"even.h\"\n#include \"odd.h\"\nvoid run0(void);\n\
         void run0(void) { even(); odd(); }\n",
    );
    let here = |shadow: &str, gone: &str| {
        header(shadow, "coroutine_fn ");
        let _ = std::fs::remove_file(checkout.root().join(gone));
        let (report, _) = checkout.check();
        checkout.check();
        report.findings.iter().filter(|finding| finding.function == "run0").count()
    };
    // One of them is beside the file, which comes first, then the other, and back.
    for _ in 0..2 {
        assert_eq!(here("even.h", "odd.h"), 1);
        assert_eq!(here("odd.h", "even.h"), 1);
    }
}

#[test]
fn files_of_two_trees_are_not_mixed_up() {
    let (scratch, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = scratch.path().canonicalize().unwrap();
    for tree in ["one", "two"] {
        std::fs::create_dir_all(root.join(tree).join("include/qemu")).unwrap();
        std::fs::create_dir(root.join(tree).join(".git")).unwrap();
        std::fs::write(root.join(tree).join("include/qemu/osdep.h"), OSDEP).unwrap();
        std::fs::write(root.join(tree).join("u1.c"), unit_text(1, "")).unwrap();
    }
    std::thread::sleep(Duration::from_millis(40));
    for _ in 0..2 {
        for tree in ["one", "two"] {
            let file = root.join(tree).join("u1.c");
            let flags = vec!["-I".into(), root.join(tree).join("include").into()];
            let request = Request {
                jobs: 2,
                cache: Some(CacheLocation { directory: cache.path().to_path_buf(), limit: 1 << 30 }),
                root: Some(root.join(tree)),
                ..Request::new(Input::Files { files: vec![file], flags }, root.clone())
            };
            let report = cowrap_session::check(&request, &Count::default()).unwrap();
            let plain = cowrap_session::check(&Request { cache: None, ..request }, &Count::default()).unwrap();
            assert_eq!((reported(&report), report.files), (reported(&plain), plain.files));
            assert_eq!(report.findings.len(), 1);
        }
    }
}

#[test]
fn a_changed_symbolic_link_is_noticed() {
    let cache = tempfile::tempdir().unwrap();
    let checkout = Checkout::new(cache.path());
    let even = checkout.root().join("include/even.h");
    std::fs::remove_file(&even).unwrap();
    checkout.write("real/one.h", "int even(void);\n");
    checkout.write("real/two.h", "int even(int);\n");
    std::os::unix::fs::symlink("../real/one.h", &even).unwrap();
    assert_eq!(checkout.parsed(), UNITS);
    assert_eq!(checkout.parsed(), 0);
    std::fs::remove_file(&even).unwrap();
    std::os::unix::fs::symlink("../real/two.h", &even).unwrap();
    assert_eq!(checkout.parsed(), UNITS / 2);
}

#[test]
fn changed_flags_and_packs_are_noticed() {
    let (_cache, checkout) = new();
    checkout.database("-DMORE");
    assert_eq!(checkout.parsed(), UNITS);
    checkout.database("");
    assert_eq!(checkout.parsed(), 0);
    // Pages are relative to the pack's file.
    let lines = include_str!("../../rules/packs/qemu.toml").split_inclusive('\n');
    let pack: String = lines.filter(|line| !line.starts_with("page = ")).collect();
    let pack = pack.replace("name = \"no_coroutine_fn\"", "name = \"no_co\"");
    checkout.write("pack.toml", &pack);
    let request = Request { packs: vec![checkout.root().join("pack.toml")], ..checkout.request() };
    for expected in [UNITS, 0] {
        std::thread::sleep(Duration::from_millis(40));
        let count = Count::default();
        cowrap_session::check(&request, &count).unwrap();
        assert_eq!(count.0.get(), expected);
    }
    // The names are the same, but not the requirements: the units are cached, and the findings
    // differ.
    checkout.write("pack.toml", &pack.replace("effect = \"coroutine-only\"", "effect = \"unmarked-by-us\""));
    assert!(cowrap_session::check(&request, &Count::default()).is_err());
    assert_eq!(checkout.parsed(), 0);
}

#[test]
fn a_changed_response_file_is_noticed() {
    let (_cache, checkout) = new();
    checkout.write("build/flags.rsp", "-DX");
    checkout.database("@flags.rsp");
    assert_eq!(checkout.parsed(), UNITS);
    assert_eq!(checkout.parsed(), 0);
    // The text of the database has not changed.
    checkout.write("build/flags.rsp", "-DX -Dco_work=co_other");
    assert_eq!(checkout.parsed(), UNITS);
}

#[test]
fn checkouts_share_a_cache() {
    let (cache, one) = new();
    let other = Checkout::new(cache.path());
    assert_eq!(other.parsed(), 0);
    other.write("u1.c", &unit_text(1, "void more(void) { co_work(); }\n"));
    assert_eq!(other.parsed(), 1);
    assert_eq!(one.parsed(), 0);
    one.write("u1.c", &unit_text(1, "void more(void) { co_work(); }\n"));
    assert_eq!(one.parsed(), 0);
}

/// Going back to a state that was checked costs nothing, unless something that only that state depends on has changed.
#[test]
fn going_back_is_noticed_in_time() {
    let (_cache, checkout) = new();
    checkout.write("include/extra.h", "void coroutine_fn extra(void);\n");
    let with_extra = || unit_text(3, "#include \"extra.h\"\nvoid more(void);\nvoid more(void) { extra(); }\n");
    checkout.write("u3.c", &with_extra());
    let (report, parsed) = checkout.check();
    assert_eq!((report.findings.len(), parsed), (UNITS + 1, 1));
    for _ in 0..2 {
        checkout.write("u3.c", &unit_text(3, ""));
        assert_eq!(checkout.parsed(), 0);
        checkout.write("u3.c", &with_extra());
        assert_eq!(checkout.parsed(), 0);
    }
    // Nothing looks for `extra.h` meanwhile.
    checkout.write("u3.c", &unit_text(3, ""));
    assert_eq!(checkout.parsed(), 0);
    checkout.write("extra.h", "void extra(void);\n");
    assert_eq!(checkout.parsed(), 0);
    checkout.write("u3.c", &with_extra());
    let (report, parsed) = checkout.check();
    assert_eq!((report.findings.len(), parsed), (UNITS, 1));
    // And the other way round.
    checkout.write("u3.c", &unit_text(3, ""));
    assert_eq!(checkout.parsed(), 0);
    std::fs::remove_file(checkout.root().join("extra.h")).unwrap();
    checkout.write("include/extra.h", "void extra(void);\n");
    assert_eq!(checkout.parsed(), 0);
    checkout.write("u3.c", &with_extra());
    assert_eq!(checkout.parsed(), 1);
}

/// Definitions of marks are listed wherever they are.
#[test]
fn definitions_of_marks_are_noticed_in_headers_that_no_unit_includes() {
    let (_cache, checkout) = new();
    let marks = |expected: usize| assert_eq!(checkout.check().0.details.parsing.marks.len(), expected);
    marks(1);
    checkout.write("include/none/other.h", "#define coroutine_fn\n");
    marks(2);
    marks(2);
    checkout.write("include/none/other.h", "#define no_coroutine_fn\n#define coroutine_fn\n");
    marks(3);
    // In the place of a file that is no header.
    checkout.write("include/README", "");
    marks(3);
    std::fs::remove_file(checkout.root().join("include/README")).unwrap();
    checkout.write("include/README/x.h", "#define coroutine_fn\n");
    marks(4);
    std::fs::remove_dir_all(checkout.root().join("include/README")).unwrap();
    std::fs::remove_dir_all(checkout.root().join("include/none")).unwrap();
    marks(1);
    // To another header, and back.
    checkout.write("include/marks.h", "#define coroutine_fn\n");
    checkout.write("include/qemu/osdep.h", &OSDEP.replace("#define coroutine_fn\n", "#include \"marks.h\"\n"));
    assert_eq!(checkout.parsed(), UNITS);
    assert_eq!(checkout.parsed(), 0);
    checkout.write("include/marks.h", "#define coroutine_fn /* nothing */\n");
    marks(1);
    checkout.write("include/marks.h", "\n#define coroutine_fn /* nothing */\n");
    assert_eq!(checkout.parsed(), UNITS);
    std::fs::remove_file(checkout.root().join("include/marks.h")).unwrap();
    checkout.write("include/qemu/osdep.h", OSDEP);
    marks(1);
}

/// A link has another path than the file that it leads to, so findings are elsewhere.
#[test]
fn a_file_in_whose_place_a_link_is_is_noticed() {
    let (_cache, checkout) = new();
    let even = checkout.root().join("include/even.h");
    let text = std::fs::read(&even).unwrap();
    std::fs::remove_file(&even).unwrap();
    checkout.write("real/even.h", std::str::from_utf8(&text).unwrap());
    std::os::unix::fs::symlink("../real/even.h", &even).unwrap();
    assert_eq!(checkout.parsed(), UNITS / 2);
    assert_eq!(checkout.parsed(), 0);
    // A directory.
    std::fs::remove_file(&even).unwrap();
    std::fs::write(&even, &text).unwrap();
    assert_eq!(checkout.parsed(), 0);
    let (include, moved) = (checkout.root().join("include"), checkout.root().join("moved"));
    std::fs::rename(&include, &moved).unwrap();
    std::os::unix::fs::symlink("moved", &include).unwrap();
    // No mark is searched for behind a link.
    let request = Request { may_lack_marks: true, ..checkout.request() };
    let reported_by = |request: &Request| {
        std::thread::sleep(Duration::from_millis(40));
        reported(&cowrap_session::check(request, &Count::default()).unwrap())
    };
    assert_eq!(reported_by(&request), reported_by(&Request { cache: None, ..request.clone() }));
    std::fs::remove_file(&include).unwrap();
    std::fs::rename(&moved, &include).unwrap();
    assert_eq!(checkout.parsed(), 0);
    // A link that leads nowhere, and then somewhere.
    std::os::unix::fs::symlink("later.h", checkout.root().join("even.h")).unwrap();
    checkout.check();
    checkout.check();
    checkout.write("later.h", "void coroutine_fn even(void);\n");
    assert_eq!(checkout.parsed(), UNITS / 2);
}

#[test]
fn a_rewritten_database_is_noticed() {
    let (_cache, checkout) = new();
    let database = checkout.root().join("build/compile_commands.json");
    let text = std::fs::read_to_string(&database).unwrap();
    // The same units, in another text.
    std::fs::write(&database, text.replace(",\n", ",\n\n")).unwrap();
    assert_eq!(checkout.parsed(), 0);
    // In another order, and without the first.
    let mut entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    entries.reverse();
    std::fs::write(&database, serde_json::to_string(&entries).unwrap()).unwrap();
    assert_eq!(checkout.parsed(), 0);
    let last = entries.pop().unwrap();
    std::fs::write(&database, serde_json::to_string(&entries).unwrap()).unwrap();
    let (report, parsed) = checkout.check();
    assert_eq!((report.findings.len(), parsed), (UNITS - 1, 0));
    // A unit that must not be read, one of another language, and one of a file that does not exist.
    let mut refused = last.clone();
    refused["command"] = "cc -fplugin=x.so -c ../u0.c".into();
    let mut other = last.clone();
    other["file"] = "../u0.cc".into();
    let mut gone = last.clone();
    gone["file"] = "../gone.c".into();
    for entry in [refused, other, gone, last] {
        entries.push(entry);
        std::fs::write(&database, serde_json::to_string(&entries).unwrap()).unwrap();
        checkout.check();
        assert_eq!(checkout.parsed(), entries.iter().filter(|entry| entry["file"] == "../gone.c").count());
    }
    std::fs::write(&database, &text).unwrap();
    assert_eq!(checkout.parsed(), 0);
    std::fs::write(&database, "[").unwrap();
    assert!(cowrap_session::check(&checkout.request(), &Count::default()).is_err());
}

/// A report depends on the request, and a state may have reports for several.
#[test]
fn other_requests_have_other_reports() {
    let (_cache, checkout) = new();
    let request = Request { enable: vec!["eligible-mark".to_owned()], ..checkout.request() };
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(40));
        let report = cowrap_session::check(&request, &Count::default()).unwrap();
        let plain = cowrap_session::check(&Request { cache: None, ..request.clone() }, &Count::default()).unwrap();
        assert_eq!(reported(&report), reported(&plain));
        assert_eq!(checkout.parsed(), 0);
    }
}

/// As in a CI matrix whose cache was restored: each shard reads only what changed.
#[test]
fn shards_read_only_what_changed() {
    let (cache, _) = new();
    // A fresh checkout, at another place and with new times.
    let checkout = Checkout::new(cache.path());
    checkout.write("u3.c", &unit_text(3, "void more(void) { co_work(); }\n"));
    let extract = |request: &Request| {
        std::thread::sleep(Duration::from_millis(40));
        let scratch = tempfile::tempdir().unwrap();
        let mut parsed = 0;
        let facts = (1..=3).map(|number| {
            let count = Count::default();
            let selection = UnitSelection::Shard(Shard::new(number, 3).unwrap());
            let extracted = cowrap_session::extract(request, selection, &count).unwrap();
            parsed += count.0.get();
            let path = scratch.path().join(format!("{number}.facts"));
            extracted.save(&Place::given(&path).unwrap()).unwrap();
            std::fs::read(path).unwrap()
        });
        (facts.collect::<Vec<_>>(), parsed)
    };
    let (facts, parsed) = extract(&checkout.request());
    assert_eq!(parsed, 1);
    let (plain, parsed) = extract(&checkout.uncached());
    assert_eq!((facts == plain, parsed), (true, UNITS));
    assert_eq!(extract(&checkout.request()).1, 0);
    // What shards have read, a check need not read.
    assert_eq!(checkout.parsed(), 0);
    checkout.write("include/even.h", "int even(int);\n");
    assert_eq!(extract(&checkout.request()).1, UNITS / 2);
    assert_eq!(checkout.parsed(), 0);
}

// --- fixing
// ------------------------------------------------------------------------------------------------------

impl Checkout {
    /// A tree with a finding that has a fix: `helper` runs in coroutines only, and is unmarked.
    fn fixable(cache: &Path) -> Checkout {
        let checkout = Checkout::new(cache);
        checkout.write(
            "u3.c",
            "#include \"qemu/osdep.h\"\nstatic void helper(void) { co_work(); }\nvoid coroutine_fn run3(void);\n\
             void coroutine_fn run3(void) { helper(); }\n",
        );
        checkout
    }

    /// Applies all fixes, and writes them if `write`. The second result is the number of units that
    /// were parsed.
    fn fix(&self, check: Request, write: bool) -> (Fixed, usize) {
        std::thread::sleep(Duration::from_millis(40));
        let count = Count::default();
        let request =
            FixRequest { check, rules: Vec::new(), with_unsafe: false, allow_dirty: true, max_rounds: 10, write };
        let fixed = cowrap_session::fix(&request, &count).unwrap();
        assert_eq!(fixed.applied.len(), 1, "{:?}", fixed.not_applied);
        (fixed, count.0.get())
    }

    /// The request without a cache.
    fn uncached(&self) -> Request {
        Request { cache: None, ..self.request() }
    }
}

fn diff(fixed: &Fixed) -> String {
    fixed
        .changes
        .iter()
        .map(|change| String::from_utf8(unified_diff(&change.path, &change.old, &change.new)).unwrap())
        .collect()
}

#[test]
fn a_second_diff_of_fixes_parses_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let checkout = Checkout::fixable(cache.path());
    let expected = diff(&checkout.fix(checkout.uncached(), false).0);
    assert!(expected.contains("+static void coroutine_fn helper(void)"), "{expected}");
    // Each unit, and then the one with the new text.
    let (first, parsed) = checkout.fix(checkout.request(), false);
    assert_eq!((diff(&first), parsed), (expected.clone(), UNITS + 1));
    let (second, parsed) = checkout.fix(checkout.request(), false);
    assert_eq!((diff(&second), parsed), (expected.clone(), 0));
    // A check fills the cache for the first attempt, too.
    let cache = tempfile::tempdir().unwrap();
    let checkout = Checkout { cache: cache.path().to_path_buf(), ..checkout };
    assert_eq!(checkout.parsed(), UNITS);
    let (third, parsed) = checkout.fix(checkout.request(), false);
    assert_eq!((diff(&third), parsed), (expected, 1));
}

#[test]
fn the_texts_of_a_diff_do_not_replace_those_of_the_disk_in_the_cache() {
    let cache = tempfile::tempdir().unwrap();
    let checkout = Checkout::fixable(cache.path());
    assert_eq!(checkout.parsed(), UNITS);
    // Many different texts of one unit are tried in memory; the cache has room for few versions of
    // a unit.
    let disk = std::fs::read_to_string(checkout.root().join("u3.c")).unwrap();
    for number in 0..12 {
        checkout.write("u3.c", &disk.replace("helper", &format!("helper{number}")));
        checkout.fix(checkout.request(), false);
        // The run cache has no report on this text, so the unit cache must have the unit.
        assert_eq!(checkout.parsed(), 0, "{number}");
    }
}

#[test]
fn a_check_after_fixing_reports_the_same_with_the_cache() {
    let cache = tempfile::tempdir().unwrap();
    let checkout = Checkout::fixable(cache.path());
    let (before, _) = checkout.check();
    let (fixed, parsed) = checkout.fix(checkout.request(), true);
    assert_eq!(parsed, 1);
    // `check` compares with a run without the cache. The unit was parsed with its new text already.
    let (after, parsed) = checkout.check();
    assert_eq!(parsed, 0);
    assert_eq!(after.findings.len() + 1, before.findings.len());
    assert_eq!(reported(&after), reported(&fixed.report));
}

// --- damage, kills
// ------------------------------------------------------------------------------------------------

#[test]
fn a_damaged_cache_does_not_change_reports() {
    let (cache, checkout) = new();
    let files: Vec<PathBuf> = walk(cache.path());
    assert!(files.len() > 3, "{files:?}");
    for (number, file) in files.iter().enumerate() {
        let whole = std::fs::read(file).unwrap();
        if whole.is_empty() {
            continue;
        }
        for place in [0, whole.len() / 2] {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << (number % 8);
            std::fs::write(file, &damaged).unwrap();
            checkout.check();
        }
        std::fs::write(file, &whole[..whole.len() / 2]).unwrap();
        checkout.check();
        std::fs::write(file, &whole).unwrap();
    }
    std::fs::remove_dir_all(cache.path()).unwrap();
    checkout.check();
}

fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn command(checkout: &Checkout) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
    command.args(["check", "-p", "build", "--format", "short", "--cache-dir"]).arg(&checkout.cache);
    command.current_dir(checkout.root()).stdin(Stdio::null());
    command
}

#[test]
fn concurrent_and_killed_runs_do_not_damage_the_cache() {
    let cache = tempfile::tempdir().unwrap();
    let checkout = Checkout::new(cache.path());
    std::thread::sleep(Duration::from_millis(40));
    let expected = command(&checkout).arg("--no-sharing").env("COWRAP_CACHE_SIZE", "1G").output().unwrap().stdout;
    assert!(!expected.is_empty());
    std::fs::remove_dir_all(cache.path()).unwrap();
    let running: Vec<_> =
        (0..10).map(|_| command(&checkout).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.stdout, expected, "{}", String::from_utf8_lossy(&output.stderr));
    }
    for number in 0..6 {
        std::fs::remove_dir_all(cache.path()).ok();
        let mut child = command(&checkout).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 * number));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(command(&checkout).output().unwrap().stdout, expected);
        assert_eq!(command(&checkout).output().unwrap().stdout, expected);
    }
}
