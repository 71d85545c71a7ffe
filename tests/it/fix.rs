//! `cowrap fix`: trees before and after, and what it must never do to them.
//!
//! `testdata/fix/` has a directory for each case: its files, for each file that changes what it becomes (`a.c.fixed` beside
//! `a.c`), in `options` the options of the command, and in `left` what the command says of fixes that it does not make. The
//! vocabulary of `testdata/include` is laid beside them. What is about the file system, git or the process is written here.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::expect::is_update;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a unit of the tests below lacks: `f` is only called in a coroutine.
const UNMARKED: &str = "\
#include \"co.h\"

static int f(void)
{
    return co_leaf();
}

int coroutine_fn run(void);
int coroutine_fn run(void)
{
    return f();
}
";

/// An error that nothing offered takes away.
const OPEN: &str = "\
#include \"co.h\"

int anybody(void);
int anybody(void)
{
    return co_leaf();
}
";

fn marked(text: &str) -> String {
    text.replace("static int f(", "static int coroutine_fn f(")
}

/// [`UNMARKED`] with another name for what it exports.
fn unmarked(name: &str) -> String {
    UNMARKED.replace(" run(", &format!(" run_{name}("))
}

// --- before and after -------------------------------------------------------------------------------------------

#[test]
fn trees_become_what_they_should() {
    let cases = entries(&testdata().join("fix"));
    let (even, odd): (Vec<_>, Vec<_>) = cases.iter().enumerate().partition(|(number, _)| number % 2 == 0);
    let check = |cases: &[(usize, &PathBuf)]| cases.iter().for_each(|(_, case)| check_case(case));
    std::thread::scope(|scope| {
        scope.spawn(|| check(&even));
        check(&odd);
    });
}

/// A failure names the tree by the words of its files.
fn check_case(case: &Path) {
    let tree = Tree::new();
    let mut expected = tree.texts();
    let (mut options, mut left) = (String::new(), String::new());
    for (path, text) in texts(case) {
        let utf8 = || String::from_utf8(text.clone()).unwrap();
        match path.to_str().unwrap() {
            "options" => options = utf8(),
            "left" => left = utf8(),
            name => match name.strip_suffix(".fixed") {
                Some(name) => drop(expected.insert(name.into(), text)),
                None => {
                    tree.write(name, &text);
                    expected.entry(path).or_insert(text);
                }
            },
        }
    }
    let changes = tree.texts() != expected;
    let before = tree.findings();
    let options: Vec<&str> = options.split_whitespace().collect();
    let out = tree.fix_files(&options);
    assert!(matches!(out.status, Some(0 | 1)), "{out:?}");
    if is_update() {
        update_case(case, &tree, &expected, &out);
        (expected, left) = (tree.texts(), out.not_fixed());
    }
    assert_same(&tree.texts(), &expected, &out);
    assert_eq!(out.not_fixed(), left, "{out:?}");

    // Findings went, and none came; a finding is known by what it says, since its line may be another one.
    let after = tree.findings();
    let new: Vec<&String> = after.iter().filter(|finding| count(&after, finding) > count(&before, finding)).collect();
    let only_lost_a_mark = |finding: &&&String| finding.contains("[mark-mismatch]");
    assert!(new.iter().all(|finding| only_lost_a_mark(&finding)), "{new:?}");
    assert!(!changes || options.contains(&"--rule") || after.len() < before.len(), "{before:?}\n{after:?}");

    let again = tree.fix_files(&[&options[..], &["--allow-dirty"]].concat());
    assert!(again.stdout.contains("0 fixes in 0 files"), "{again:?}");
    assert_eq!(again.status, out.status);
    assert_same(&tree.texts(), &expected, &again);
}

/// Writes what became of a tree as what should.
fn update_case(case: &Path, tree: &Tree, expected: &BTreeMap<PathBuf, Vec<u8>>, out: &Outcome) {
    let write = |name: &OsStr, text: &[u8]| {
        let path = case.join(name);
        let old = std::fs::read(&path).unwrap_or_default();
        if old != text {
            std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    };
    write(OsStr::new("left"), out.not_fixed().as_bytes());
    for (path, text) in tree.texts().iter().filter(|(path, text)| expected.get(*path) != Some(text)) {
        let mut name = path.clone().into_os_string();
        name.push(".fixed");
        write(&name, text);
    }
}

fn assert_same(texts: &BTreeMap<PathBuf, Vec<u8>>, expected: &BTreeMap<PathBuf, Vec<u8>>, out: &Outcome) {
    let show =
        |text: Option<&Vec<u8>>| text.map_or("nothing".into(), |text| String::from_utf8_lossy(text).into_owned());
    let paths: BTreeSet<&PathBuf> = texts.keys().chain(expected.keys()).collect();
    for path in paths {
        let (text, expected) = (texts.get(path), expected.get(path));
        let (shown, wanted) = (show(text), show(expected));
        assert!(text == expected, "{}\n{shown}\n--- expected\n{wanted}\n{out:?}", path.display());
    }
}

fn count(findings: &[String], finding: &String) -> usize {
    findings.iter().filter(|other| *other == finding).count()
}

/// What a run says of the tree that it leaves was found in memory; on disk, the same is found.
#[test]
fn what_is_found_afterwards_is_what_was_told() {
    for name in ["miniblock", "miniblock-legacy"] {
        let tree = Tree::empty();
        for (path, text) in texts(&testdata().join(name)) {
            tree.write(path.to_str().unwrap(), text);
        }
        let last = |out: &Outcome| {
            let lines: Vec<&str> = out.stdout.lines().rev().take(4).collect();
            lines.join("\n")
        };
        let out = tree.fix(&["--unsafe-fixes"]).is(1);
        assert!(!out.stdout.contains(" 0 fixes"), "{out:?}");
        assert_eq!(last(&out), last(&tree.cowrap(&["check", "--format", "short"])));
        let texts = tree.texts();
        let again = tree.fix(&["--unsafe-fixes"]).is(1).says(" 0 fixes in 0 files");
        assert_eq!((last(&again), tree.texts()), (last(&out), texts));
    }
}

// --- exit statuses and arguments --------------------------------------------------------------------------------

#[test]
fn the_status_is_that_of_the_tree_afterwards() {
    let tree = Tree::of(&[("a.c", UNMARKED)]);
    tree.fix(&[]).is(0).says("a.c:5:12: fixed: mark `f` as `coroutine_fn` [coroutine-call]");
    tree.fix(&[]).is(0).says("0 fixes in 0 files");
    let tree = Tree::of(&[("a.c", UNMARKED), ("open.c", OPEN)]);
    tree.fix(&[]).is(1).says("errors 2 -> 1");
    tree.write("broken.c", "int x = ;\n");
    tree.database(&["a.c", "broken.c"]);
    tree.fix(&["--allow-dirty"]).is(2).says("1 failed");
    tree.fix(&["--allow-dirty", "--allow-incomplete"]).is(0);
}

/// A unit that cannot be read stays out of it, and the others are fixed all the same.
#[test]
fn a_broken_unit_does_not_keep_the_others_from_being_fixed() {
    let tree = Tree::of(&[("a.c", UNMARKED), ("broken.c", "int x = ;\n")]);
    tree.fix(&[]).is(2).says("1 fix in 1 file");
    assert_eq!(tree.read("a.c"), marked(UNMARKED));
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let tree = Tree::of(&[("a.c", UNMARKED)]);
    tree.cowrap(&["index", "-o", "tree.index"]).is(0);
    tree.fix(&["--index", "tree.index"]).is(2).says("fixing needs the tree");
    tree.fix(&["--rule", "no-such-rule"]).is(2).says("no-such-rule");
    tree.fix(&["nowhere"]).is(2).says("nowhere");
    tree.fix(&["--diff", "--patches", "out"]).is(2);
    tree.write("out/0001-earlier.patch", "");
    tree.fix(&["--patches", "out"]).is(2).says("already has patches");
    tree.fix(&["--max-rounds", "many"]).is(2);
    assert_eq!(tree.read("a.c"), UNMARKED);
}

#[test]
fn only_what_is_found_in_the_named_paths_is_fixed() {
    let files = [("a/x.c", unmarked("x")), ("b/y.c", unmarked("y")), ("b/z.c", unmarked("z"))];
    let tree = Tree::of(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    tree.fix(&["b/y.c"]).is(0).says("errors 1 -> 0");
    assert_eq!(tree.read("a/x.c"), files[0].1);
    assert_eq!(tree.read("b/y.c"), marked(&files[1].1));
    assert_eq!(tree.read("b/z.c"), files[2].1);
    tree.commit();
    tree.fix(&["a", "b"]).is(0).says("2 fixes in 2 files");
}

#[test]
fn only_what_is_asked_for_by_rule_is_fixed() {
    let both = format!("{UNMARKED}\nint coroutine_fn g(void);\nint g(void)\n{{\n    return dev_read(1);\n}}\n");
    let tree = Tree::of(&[("a.c", &both)]);
    let out = tree.fix(&["--rule", "mark-mismatch"]).is(1);
    assert_eq!(tree.read("a.c"), both.replace("\nint g(", "\nint coroutine_fn g("));
    let of_other_rules = |line: &str| line.contains("fixed: ") && line.contains("coroutine-call");
    assert!(!out.stdout.lines().any(of_other_rules) && out.stdout.contains("1 fix "), "{out:?}");
    out.says("a.c:5:12: remaining: `coroutine_fn` `co_leaf` called from unmarked `f`");
    tree.commit();
    // The names of several, and all.
    tree.fix(&["--rule", "mixed-call,coroutine-call"]).is(0).says("2 fixes");
}

#[test]
fn without_rounds_nothing_is_done_and_this_is_told() {
    let tree = Tree::of(&[("a.c", UNMARKED)]);
    tree.fix(&["--max-rounds", "0"]).is(1).says("the limit of --max-rounds was reached").says("0 fixes");
    assert_eq!(tree.read("a.c"), UNMARKED);
}

#[test]
fn rounds_go_on_where_the_last_one_ended() {
    // Each mark is superfluous only when that of its callee is gone.
    let chain: String = (0..4)
        .map(|n| {
            let call = if n == 0 { "0".to_owned() } else { format!("f{}()", n - 1) };
            format!("static int coroutine_fn f{n}(void)\n{{\n    return {call};\n}}\n")
        })
        .collect();
    let text = format!(
        "#include \"co.h\"\n{chain}int coroutine_fn run(void);\nint coroutine_fn run(void)\n{{\n    return f3() + co_leaf();\n}}\n"
    );
    let tree = Tree::of(&[("a.c", &text)]);
    let options = ["--rule", "superfluous-mark", "--unsafe-fixes", "--max-rounds", "2"];
    tree.fix(&options)
        .says("2 fixes in 1 file and 2 rounds, 1 not applied")
        .says("the limit of --max-rounds was reached");
    tree.commit();
    tree.fix(&options).says("2 fixes in 1 file and 2 rounds, 0 not applied");
    assert_eq!(tree.read("a.c").matches("coroutine_fn").count(), 2);
}

/// What the one rule would mark, the other would unmark.
#[test]
fn two_rules_do_not_undo_each_other() {
    let text = "#include \"co.h\"\nstatic int f(void)\n{\n    return 1;\n}\nstatic int coroutine_fn g(void)\n{\n    return 1;\n}\nint coroutine_fn run(void);\nint coroutine_fn run(void)\n{\n    return f() + g() + co_leaf();\n}\n";
    let tree = Tree::of(&[("a.c", text)]);
    let out =
        tree.fix(&["--rule", "eligible-mark,superfluous-mark", "--unsafe-fixes"]).is(0).says("0 fixes in 0 files");
    assert_eq!(out.not_fixed().matches("it would cause a new finding").count(), 2, "{out:?}");
}

/// Before the mark's definition, in the header that defines it, no include helps; behind it, the mark is welcome.
#[test]
fn a_mark_does_not_go_before_its_own_definition() {
    let tree = Tree::empty();
    let header = "#ifndef OWN_H\n#define OWN_H\nint before(void);\n#define coroutine_fn\nint behind(void);\nvoid coroutine_fn leaf(void);\n#endif\n";
    let text = "#include \"own.h\"\nint before(void) { leaf(); return 0; }\nint behind(void) { leaf(); return 0; }\nint coroutine_fn run(void);\nint coroutine_fn run(void) { return before() + behind(); }\n";
    tree.write("include/own.h", header);
    tree.write("a.c", text);
    tree.database(&["a.c"]);
    tree.fix(&[]).is(1).says("not fixed: mark `before`").says("a.c would no longer compile");
    assert_eq!(tree.read("include/own.h"), header.replace("int behind", "int coroutine_fn behind"));
    assert_eq!(tree.read("a.c"), text.replace("\nint behind", "\nint coroutine_fn behind"));
}

// --- git --------------------------------------------------------------------------------------------------------

#[test]
fn changes_that_git_does_not_have_are_not_mixed_with_fixes() {
    let tree = Tree::of(&[("a.c", UNMARKED), ("dir/b.c", &unmarked("b")), ("c.c", OPEN)]);
    let edited = format!("{UNMARKED}/* mine */\n");
    tree.write("a.c", &edited);
    // What is not to be changed may be dirty.
    tree.write("c.c", format!("{OPEN}/* mine */\n"));
    let out = tree.fix(&[]).is(2).says("these files have uncommitted changes: a.c\n").says("--allow-dirty");
    assert!(!out.stderr.contains("b.c") && !out.stderr.contains("c.c"), "{out:?}");
    assert_eq!(tree.read("dir/b.c"), unmarked("b"), "all or nothing");
    tree.write("new.c", unmarked("new"));
    tree.database(&["a.c", "dir/b.c", "new.c"]);
    tree.fix(&[]).is(2).says("uncommitted changes: a.c, new.c\n");
    tree.git(&["add", "."]);
    tree.fix(&[]).is(2).says("uncommitted changes: a.c, new.c\n");
    // To look is always allowed.
    tree.fix(&["--diff"]).is(0).says("+static int coroutine_fn f(void)");
    tree.fix(&["--allow-dirty"]).is(0);
    assert_eq!(tree.read("a.c"), marked(&edited));
    assert_eq!(tree.read("new.c"), marked(&unmarked("new")));
}

#[test]
fn outside_of_git_nothing_is_asked() {
    let tree = Tree::new();
    tree.write("a.c", UNMARKED);
    tree.database(&["a.c"]);
    tree.fix(&[]).is(0);
    assert_eq!(tree.read("a.c"), marked(UNMARKED));
}

/// A header needs an include in one directory, one file has no end of line, one has odd ends of lines, and one an odd name.
fn odd_tree() -> Tree {
    let last = UNMARKED.replace("coroutine_fn run(", "coroutine_fn run_last(");
    let tree = Tree::of(&[
        ("block/a.c", &format!("#include \"late.h\"\n{}", unmarked("a").replace("static int f", "int f"))),
        ("block/last.c", last.trim_end()),
        ("util/dos.c", &unmarked("dos").replace('\n', "\r\n")),
        ("util/a name's \"quotes\".c", &unmarked("odd")),
        ("top.c", &OPEN.replace("anybody(void)\n{\n    return", "anybody(void)\n{\n    return dev_read(1) *")),
        ("mixed.c", &unmarked("mixed").replace("return f()", "return f() + dev_read(1)")),
    ]);
    tree.write("block/late.h", "#ifndef LATE_H\n#define LATE_H\n#include <stddef.h>\n\nint f(void);\n#endif\n");
    tree.write("util/latin.c", unmarked("latin").replace("static", "/* @ */ static"));
    let latin =
        tree.bytes("util/latin.c").iter().map(|byte| if *byte == b'@' { 0xe9 } else { *byte }).collect::<Vec<u8>>();
    tree.write("util/latin.c", latin);
    tree.database(&[
        "block/a.c",
        "block/last.c",
        "util/dos.c",
        "util/a name's \"quotes\".c",
        "util/latin.c",
        "mixed.c",
        "top.c",
    ]);
    tree.commit();
    tree
}

#[test]
fn a_diff_gives_the_same_tree_as_the_run() {
    let (tree, by_git, by_patch) = (odd_tree(), odd_tree(), odd_tree());
    let out = tree.fix(&["--diff"]).is(1);
    assert!(out.stderr.contains("fixed: mark `f`"), "what is done is told beside the diff: {out:?}");
    assert!(tree.git(&["status", "--porcelain"]).is_empty());
    let diff = out.raw.clone();
    by_git.write("../the.diff", &diff);
    by_git.git(&["apply", "--check", "../the.diff"]);
    by_git.git(&["apply", "../the.diff"]);
    let mut patch = Command::new("patch");
    let patched = patch_in(patch.args(["-p1", "--binary", "-s", "-i"]).arg(by_git.path("../the.diff")), &by_patch);
    tree.fix(&[]).is(1);
    assert_eq!(by_git.texts(), tree.texts());
    assert!(patched.is_none_or(|texts| texts == tree.texts()));
    assert_eq!(tree.git(&["diff", "--name-only"]).lines().count(), 7);
}

/// Runs `patch`; nothing where it is not installed.
fn patch_in(command: &mut Command, tree: &Tree) -> Option<BTreeMap<PathBuf, Vec<u8>>> {
    let status = match command.current_dir(&tree.root).status() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        status => status.unwrap(),
    };
    assert!(status.success());
    Some(tree.texts())
}

#[test]
fn patches_give_the_same_tree_as_the_run() {
    let (tree, by_mail) = (odd_tree(), odd_tree());
    let out = tree.fix(&["--patches", "../patches"]).is(1);
    assert!(out.stdout.is_empty() && out.stderr.contains("fixed: "), "{out:?}");
    assert!(tree.git(&["status", "--porcelain"]).is_empty());
    let patches = entries(&tree.path("../patches"));
    let mut subjects = Vec::new();
    for patch in &patches {
        by_mail.git_os(&["am".as_ref(), "--keep-cr".as_ref(), "--quiet".as_ref(), patch.as_os_str()]);
        subjects.push(by_mail.git(&["log", "-1", "--format=%s"]).trim().to_owned());
    }
    tree.fix(&[]).is(1);
    assert_eq!(by_mail.texts(), tree.texts());
    assert_eq!(
        subjects,
        [
            "block: fix 2 findings of coroutine-call",
            "mixed: mark f as coroutine_fn",
            "util: fix 3 findings of coroutine-call",
            "mixed: call dev_co_read instead of dev_read",
        ]
    );
    // Each says what made it right.
    let body = by_mail.git(&["log", "-1", "--format=%b", "--", "block"]);
    assert!(body.contains("* mark `f` as `coroutine_fn`") && body.contains("calls `f` in coroutine context"), "{body}");
}

// --- the file system --------------------------------------------------------------------------------------------

#[test]
fn one_file_that_cannot_be_written_stops_all() {
    let tree = Tree::of(&[("a.c", UNMARKED), ("b.c", &unmarked("b"))]);
    std::fs::set_permissions(tree.path("b.c"), std::fs::Permissions::from_mode(0o444)).unwrap();
    tree.fix(&[]).is(2).says("no file was written").says("b.c").says("read-only");
    assert_eq!(tree.read("a.c"), UNMARKED);
    std::fs::set_permissions(tree.path("b.c"), std::fs::Permissions::from_mode(0o644)).unwrap();
    tree.fix(&[]).is(0).says("2 fixes in 2 files");
}

/// What is known of a file that is newer than the run was made from another text.
#[test]
fn a_file_that_changes_meanwhile_is_left_alone() {
    let tree = Tree::of(&[("a.c", UNMARKED), ("b.c", &unmarked("b"))]);
    let file = std::fs::File::options().write(true).open(tree.path("b.c")).unwrap();
    file.set_modified(std::time::SystemTime::now() + Duration::from_secs(3600)).unwrap();
    tree.fix(&[]).is(1).says("b.c: the file has changed since it was read; run again").says("1 fix in 1 file");
    assert_eq!(tree.read("a.c"), marked(UNMARKED));
    assert_eq!(tree.read("b.c"), unmarked("b"));
}

#[test]
fn a_link_that_leads_out_of_the_tree_is_not_followed() {
    let tree = Tree::of(&[("a.c", UNMARKED)]);
    tree.write("../out.h", "static int linked(void)\n{\n    return co_leaf();\n}\n");
    std::os::unix::fs::symlink("../out.h", tree.path("link.h")).unwrap();
    let text = "#include \"co.h\"\n#include \"link.h\"\nint coroutine_fn run_b(void);\nint coroutine_fn run_b(void)\n{\n    return linked();\n}\n";
    tree.write("b.c", text);
    tree.database(&["a.c", "b.c"]);
    tree.commit();
    let before = tree.read("../out.h");
    let out = tree.fix(&[]);
    assert_eq!(tree.read("../out.h"), before, "{out:?}");
    assert_eq!(tree.read("a.c"), marked(UNMARKED), "{out:?}");
}

/// What is outside of the root is not looked at: a function that is declared there is marked where the tree has it.
#[test]
fn nothing_outside_of_the_tree_is_changed() {
    let tree = Tree::new();
    tree.write("../other/api.h", "int api(void);\n");
    let text = "#include \"co.h\"\n#include \"../other/api.h\"\nint api(void)\n{\n    return co_leaf();\n}\nint coroutine_fn run(void);\nint coroutine_fn run(void)\n{\n    return api();\n}\n";
    tree.write("b.c", text);
    tree.write("../other/c.c", "#include \"co.h\"\nstatic int f(void)\n{\n    return co_leaf();\n}\nint coroutine_fn run_c(void);\nint coroutine_fn run_c(void)\n{\n    return f();\n}\n");
    let other = tree.bytes("../other/c.c");
    tree.database(&["b.c", "../other/c.c"]);
    let out = tree.fix(&["--root", "."]);
    assert_eq!(tree.read("b.c"), text.replace("\nint api(", "\nint coroutine_fn api("), "{out:?}");
    assert_eq!(tree.read("../other/api.h"), "int api(void);\n");
    assert_eq!(tree.bytes("../other/c.c"), other, "{out:?}");
}

/// The files of a build directory are made again: marks do not go there, and git is not asked about them.
#[test]
fn what_a_build_generated_is_not_marked() {
    let tree = Tree::new();
    tree.write("build/generated.h", "int generated(void);\n");
    let text = "#include \"co.h\"\n#include \"build/generated.h\"\nint coroutine_fn run_b(void);\nint coroutine_fn run_b(void)\n{\n    return generated();\n}\n";
    tree.write("b.c", text);
    tree.write(
        "build/generated.c",
        "#include \"co.h\"\n#include \"build/generated.h\"\nint generated(void)\n{\n    return co_leaf();\n}\n",
    );
    let entry = |file: &str| {
        let root = tree.root.to_str().unwrap();
        json!({"directory": root, "file": file, "arguments": ["cc", "-Iinclude", "-I.", "-c", file]})
    };
    let database = json!([entry("b.c"), entry("build/generated.c")]);
    tree.write("build/compile_commands.json", serde_json::to_string(&database).unwrap());
    tree.git(&["init", "-q"]);
    tree.commit();
    let before = tree.texts();
    let out = tree.fix(&["-p", "build"]).is(1).says("is a generated file");
    assert_same(&tree.texts(), &before, &out);
}

#[test]
fn odd_names_are_no_hindrance() {
    let tree = Tree::new();
    let names: [&OsStr; 4] =
        [OsStr::new("a blank.c"), OsStr::new("-dash.c"), OsStr::new("quo'te\".c"), OsStr::from_bytes(b"latin-\xe9.c")];
    for (number, name) in names.iter().enumerate() {
        std::fs::write(tree.root.join(name), unmarked(&number.to_string())).unwrap();
    }
    tree.git(&["init", "-q"]);
    tree.commit();
    let mut arguments: Vec<OsString> = vec!["fix".into()];
    arguments.extend(names.iter().map(|name| Path::new(".").join(name).into_os_string()));
    arguments.extend(["--", "-Iinclude"].map(OsString::from));
    let mut command = tree.command(&[]);
    tree.run(command.args(&arguments)).is(0).says("4 fixes in 4 files");
    for (number, name) in names.iter().enumerate() {
        let text = std::fs::read_to_string(tree.root.join(name)).unwrap();
        assert_eq!(text, marked(&unmarked(&number.to_string())));
    }
}

// --- the same every time ----------------------------------------------------------------------------------------

#[test]
fn the_output_does_not_depend_on_the_number_of_jobs() {
    let tree = odd_tree();
    let run = |jobs: &str| {
        let out = tree.fix(&["--diff", "--unsafe-fixes", "-j", jobs]);
        (out.stdout, out.stderr, out.status)
    };
    let one = run("1");
    assert_eq!(one, run("2"));
    assert_eq!(one, run("4"));
}

// --- kills ------------------------------------------------------------------------------------------------------

#[test]
fn a_run_that_is_killed_leaves_each_file_old_or_new() {
    const FILES: usize = 100;
    let names: Vec<String> = (0..FILES).map(|number| format!("d{}/f{number}.c", number % 7)).collect();
    // Without the headers of the system, which take most of the time.
    let small = |text: String| text.replace("\"co.h\"", "\"marks.h\"\nint coroutine_fn co_leaf(void);");
    let old: Vec<String> = (0..FILES).map(|number| small(unmarked(&number.to_string()))).collect();
    let tree = Tree::new();
    let lay = || names.iter().zip(&old).for_each(|(name, text)| tree.write(name, text));
    lay();
    tree.database(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let start = Instant::now();
    tree.fix(&[]).is(0).says("100 fixes in 100 files");
    let whole = start.elapsed();
    let mut killed = 0;
    // The files are written at the very end.
    for part in [30, 80, 90, 94, 97, 99, 101] {
        lay();
        let mut child = tree.command(&["fix"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * part / 100);
        let _ = child.kill();
        killed += usize::from(child.wait().unwrap().code().is_none());
        for (name, old) in names.iter().zip(&old) {
            let text = tree.read(name);
            assert!(text == *old || text == marked(old), "{name}: {text}");
        }
        if start.elapsed() > Duration::from_secs(15) {
            break;
        }
    }
    assert!(killed > 0);
    tree.fix(&[]).is(0);
    for (name, old) in names.iter().zip(&old) {
        assert_eq!(tree.read(name), marked(old));
    }
    let left: Vec<PathBuf> =
        tree.texts().into_keys().filter(|path| path.to_string_lossy().contains(".cowrap-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

// --- wrappers and the build that generates them -----------------------------------------------------------------

/// A tree that was configured with meson: `dev/known.h` is an input of the generator, `dev/new.h` and `dev/apart.h` are not.
fn configured_tree() -> Tree {
    let tree = Tree::new();
    let header = |include: &str, name: &str| {
        format!(
            "#pragma once\n#include \"{include}\"\nint coroutine_fn dev_co_{name}(Dev *dev);\nint co_wrapper dev_{name}(Dev *dev);\n"
        )
    };
    // The vocabulary declares wrappers that nobody generates.
    tree.remove("include/co.h");
    tree.write("include/dev/dev.h", "#pragma once\n#include \"poll.h\"\ntypedef struct Dev Dev;\n");
    tree.write("include/dev/known.h", header("dev/dev.h", "known") + "int coroutine_fn dev_co_trim(Dev *dev);\n");
    tree.write("include/dev/new.h", header("dev/dev.h", "new"));
    tree.write("include/dev/apart.h", header("dev/dev.h", "apart"));
    for name in ["coroutines.h", "block-gen.h", "block_int.h", "dirty-bitmap.h"] {
        tree.write(&format!("include/block/{name}"), "#include \"dev/known.h\"\n#include \"dev/new.h\"\n");
    }
    tree.write(
        "block/meson.build",
        "block_gen_c = custom_target('block-gen.c',\n    input: files(\n        '../include/dev/known.h',\n    ))\n",
    );
    tree.write("VERSION", "9.0.0\n");
    tree.write("a.c", DEV);
    let path = |name: &str| tree.path(name).to_str().unwrap().to_owned();
    let target = json!([{
        "name": "block-gen.c",
        "filename": [path("build/block/block-gen.c")],
        "target_sources": [{
            "compiler": ["python3", "../scripts/block-coroutine-wrapper.py", "@OUTPUT@", "@INPUT@"],
            "sources": [path("include/dev/known.h")],
        }],
    }]);
    tree.write("build/meson-info/intro-targets.json", target.to_string());
    let entry = |file: &str| {
        let arguments = ["cc", "-I../include", "-c", file];
        json!({"directory": path("build"), "file": file, "arguments": arguments})
    };
    tree.write("build/compile_commands.json", json!([entry("../a.c"), entry("block/block-gen.c")]).to_string());
    tree.write("build/block/block-gen.c", "");
    tree.cowrap(&["generate", "--all", "-p", "build"]).is(0);
    tree.write(".gitignore", "/build\n");
    tree.git(&["init", "-q"]);
    tree.commit();
    tree
}

/// What is called in [`configured_tree`].
const DEV: &str = "\
#include \"dev/apart.h\"
#include \"dev/known.h\"
#include \"dev/new.h\"

int coroutine_fn dev_co_known(Dev *dev) { return 1; }
int coroutine_fn dev_co_new(Dev *dev) { return 2; }
int coroutine_fn dev_co_apart(Dev *dev) { return 3; }
int coroutine_fn dev_co_trim(Dev *dev) { return 4; }

int no_coroutine_fn outside(Dev *dev);
int no_coroutine_fn outside(Dev *dev)
{
    return dev_known(dev) + dev_new(dev) + dev_co_trim(dev);
}
";

#[test]
fn a_header_becomes_an_input_of_the_generator() {
    let tree = configured_tree();
    let (generated, database) = (tree.bytes("build/block/block-gen.c"), tree.bytes("build/compile_commands.json"));
    tree.fix(&["-p", "build"])
        .is(1)
        .says("fixed: add include/dev/new.h to the generator's inputs")
        .says("not fixed: add include/dev/apart.h to the generator's inputs")
        .says("the generated file does not include include/dev/apart.h")
        .says("1 fix in 1 file");
    assert_eq!(tree.git(&["diff", "--name-only"]), "block/meson.build\n");
    let list = "        '../include/dev/known.h',\n        '../include/dev/new.h',\n    ))\n";
    assert!(tree.read("block/meson.build").ends_with(list), "{}", tree.read("block/meson.build"));
    // The build's own files are made again by it.
    assert_eq!(tree.bytes("build/block/block-gen.c"), generated);
    assert_eq!(tree.bytes("build/compile_commands.json"), database);
    // Until then, there is nothing more to do.
    let out = tree.fix(&["-p", "build", "--allow-dirty"]).is(1);
    out.says("`../include/dev/new.h` is already listed; configure the build again").says("0 fixes in 0 files");
}

#[test]
fn a_wrapper_is_declared_where_the_generator_reads() {
    let tree = configured_tree();
    let diff = tree.fix(&["-p", "build", "--unsafe-fixes", "--rule", "coroutine-call", "--diff"]).raw;
    assert!(!String::from_utf8_lossy(&diff).contains("build/"), "{}", String::from_utf8_lossy(&diff));
    tree.fix(&["-p", "build", "--unsafe-fixes", "--rule", "coroutine-call"])
        .says("fixed (unsafe): declare the wrapper");
    assert_eq!(tree.git(&["diff", "--name-only"]), "a.c\ninclude/dev/known.h\n");
    assert_eq!(tree.read("a.c"), DEV.replace("+ dev_co_trim(dev)", "+ dev_trim(dev)"));
    let known = tree.read("include/dev/known.h");
    assert!(
        known.ends_with("int coroutine_fn dev_co_trim(Dev *dev);\nint co_wrapper dev_trim(Dev *dev);\n"),
        "{known}"
    );
}

/// A name that something else has in a unit that the call is not in.
#[test]
fn a_wrapper_whose_name_is_taken_somewhere_is_taken_back() {
    let tree = configured_tree();
    tree.write("b.c", "#define dev_trim 7\n#include \"dev/known.h\"\nint b(void);\nint b(void) { return dev_trim; }\n");
    let f = "static int f(Dev *dev) { return dev_co_new(dev); }\nint coroutine_fn run(Dev *dev);\nint coroutine_fn run(Dev *dev) { return f(dev); }\n";
    tree.write("a.c", format!("{DEV}{f}"));
    let database = tree.read("build/compile_commands.json");
    let mut entries: Vec<Value> = serde_json::from_str(&database).unwrap();
    let mut entry = entries[0].clone();
    entry["file"] = json!("../b.c");
    entry["arguments"][3] = json!("../b.c");
    entries.push(entry);
    tree.write("build/compile_commands.json", json!(entries).to_string());
    tree.commit();
    tree.fix(&["-p", "build", "--unsafe-fixes", "--rule", "coroutine-call"])
        .is(1)
        .says("not fixed: declare the wrapper `dev_trim`")
        .says("b.c would no longer compile")
        .says("fixed: mark `f` as `coroutine_fn`");
    assert_eq!(tree.git(&["diff", "--name-only"]), "a.c\n");
}

// --- helpers ----------------------------------------------------------------------------------------------------

/// A tree that is gone at the end of the test, mostly with the vocabulary of `testdata/include`. Its root has a directory of its
/// own above it.
struct Tree {
    _scratch: TempDir,
    root: PathBuf,
}

impl Tree {
    fn empty() -> Tree {
        let scratch = TempDir::new().unwrap();
        let root = scratch.path().canonicalize().unwrap().join("tree");
        Tree { _scratch: scratch, root }
    }

    fn new() -> Tree {
        let tree = Tree::empty();
        for (path, text) in texts(&testdata().join("include")) {
            tree.write(Path::new("include").join(path).to_str().unwrap(), &text);
        }
        tree
    }

    /// A tree with these files, a database for them, and all of it committed.
    fn of(files: &[(&str, &str)]) -> Tree {
        let tree = Tree::new();
        for (name, text) in files {
            tree.write(name, text);
        }
        tree.database(&files.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        tree.git(&["init", "-q"]);
        tree.commit();
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// Every file, but for what is git's.
    fn texts(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut texts = texts(&self.root);
        texts.retain(|path, _| !path.starts_with(".git"));
        texts
    }

    fn database(&self, files: &[&str]) {
        let entry =
            |file: &&str| json!({"directory": ".", "file": file, "arguments": ["cc", "-Iinclude", "-I.", "-c", file]});
        let entries: Vec<Value> = files.iter().map(entry).collect();
        self.write("compile_commands.json", serde_json::to_string_pretty(&entries).unwrap());
    }

    fn git_os(&self, arguments: &[&OsStr]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=A Tester", "-c", "user.email=tester@example.org", "-c", "core.autocrlf=false"]);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let out = command.current_dir(&self.root).args(arguments).output().unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.git_os(&arguments.iter().map(OsStr::new).collect::<Vec<_>>())
    }

    fn commit(&self) {
        self.git(&["add", "-A", "."]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "all"]);
    }

    /// The program, in the tree. No repository above the scratch directory is found.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.args(arguments).current_dir(&self.root);
        command.env("GIT_CEILING_DIRECTORIES", self.root.parent().unwrap());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command
    }

    fn run(&self, command: &mut Command) -> Outcome {
        let out = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{stderr}");
        let stdout = String::from_utf8_lossy(&out.stdout).into_owned();
        Outcome { status: out.status.code(), stdout, stderr, raw: out.stdout }
    }

    fn cowrap(&self, arguments: &[&str]) -> Outcome {
        self.run(&mut self.command(arguments))
    }

    /// `cowrap fix`, by the database.
    fn fix(&self, options: &[&str]) -> Outcome {
        self.cowrap(&[&["fix"], options].concat())
    }

    /// The C files of the tree, by name, with flags: without a database.
    fn on_files(&self, options: &[&str]) -> Outcome {
        let paths = self.texts().into_keys().filter(|path| path.extension().is_some_and(|end| end == "c"));
        let mut command = self.command(options);
        self.run(command.args(paths).args(["--", "-Iinclude", "-I.", "-O2"]))
    }

    fn fix_files(&self, options: &[&str]) -> Outcome {
        self.on_files(&[&["fix"], options].concat())
    }

    /// What is found: file, level, words and rule, without the line.
    fn findings(&self) -> Vec<String> {
        let out = self.on_files(&["check", "--format", "short"]);
        let findings = out.stdout.lines().filter(|line| line.ends_with(']'));
        let without_line = |line: &str| {
            let parts: Vec<&str> = line.splitn(4, ':').collect();
            format!("{}:{}", parts[0], parts[3])
        };
        findings.map(without_line).collect()
    }
}

/// What a run left behind.
#[derive(Debug)]
struct Outcome {
    status: Option<i32>,
    stdout: String,
    stderr: String,
    raw: Vec<u8>,
}

impl Outcome {
    /// Fails unless the exit status is this.
    fn is(self, status: i32) -> Outcome {
        assert_eq!(self.status, Some(status), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails unless the output holds this.
    fn says(self, text: &str) -> Outcome {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "`{text}` is not in stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// What is told of fixes that were not made, as it is printed.
    fn not_fixed(&self) -> String {
        let mut lines = self.stdout.lines().peekable();
        let mut told = String::new();
        while let Some(line) = lines.next() {
            if line.contains(": not fixed: ") {
                told += &format!("{line}\n");
                told.extend(lines.next_if(|next| next.starts_with("  ")).map(|next| format!("{next}\n")));
            }
        }
        told
    }
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The files below a directory, by their paths in it.
fn texts(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![directory.to_path_buf()];
    while let Some(next) = directories.pop() {
        for path in entries(&next) {
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                directories.push(path);
            } else if metadata.is_file() {
                found.insert(path.strip_prefix(directory).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}
