//! The program as its users meet it: arguments in, text and an exit status out.
//!
//! The C is written on the spot, into a tree of its own for each test. `testdata/` is used where the point is that
//! something holds for every tree that is there.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures::{self, own_flags};
use crate::support::expect;

/// The header that defines the marks; without it nothing can be found.
const MARKS: &str = "\
#ifndef CO_H
#define CO_H
#define coroutine_fn
#define coroutine_mixed_fn
#define no_coroutine_fn
_Bool qemu_in_coroutine(void);
void coroutine_fn qemu_coroutine_yield(void);
void coroutine_fn drain(void);
void do_nothing(void);
#endif
";

/// A unit with one error: `drain` in line 5, column 5.
const ERROR: &str = "\
#include \"co.h\"
void plain(void);
void plain(void)
{
    drain();
}
";

/// A unit with one warning: the mark of a variable.
const WARNING: &str = "#include \"co.h\"\nint coroutine_fn counter;\n";

/// A unit without findings.
const CLEAN: &str = "#include \"co.h\"\nvoid coroutine_fn work(void);\nvoid coroutine_fn work(void) { drain(); }\n";

/// A unit that no compiler accepts.
const BROKEN: &str = "#include \"co.h\"\nvoid broken(void);\nvoid broken(void) { drain( }\n";

/// Every format.
const FORMATS: [&str; 10] =
    ["human", "short", "json", "jsonl", "sarif", "gitlab", "github", "junit", "checkstyle", "html"];

/// The line for the finding of [`ERROR`], when it is in `error.c`.
const ERROR_LINE: &str = "error.c:5:5: error: `coroutine_fn` `drain` called from unmarked `plain` [coroutine-call]";

// --- exit status ------------------------------------------------------------------------------------------------

#[test]
fn a_clean_tree_is_status_0() {
    Tree::with(&[("clean.c", CLEAN)]).check(&[]).is(0);
}

#[test]
fn an_error_is_status_1() {
    let out = Tree::with(&[("error.c", ERROR), ("clean.c", CLEAN)]).check(&["--format", "short"]).is(1);
    assert_eq!(out.findings(), [ERROR_LINE]);
}

#[test]
fn a_warning_alone_is_status_0() {
    let out = Tree::with(&[("warning.c", WARNING)]).check(&["--format", "short"]).is(0);
    assert_eq!(out.findings().len(), 1, "{out:?}");
    assert!(out.findings()[0].contains(": warning: ") && out.findings()[0].ends_with("[misplaced-mark]"), "{out:?}");
}

#[test]
fn no_database_is_status_2() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.remove("compile_commands.json");
    tree.check(&[]).is(2).says("compile_commands.json");
}

#[test]
fn an_empty_or_missing_database_directory_is_status_2() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.write("empty/readme", "");
    tree.check(&["-p", "empty"]).is(2).says("empty");
    tree.check(&["-p", "nowhere"]).is(2).says("nowhere");
}

#[test]
fn two_build_directories_are_status_2() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.move_database("build-one");
    tree.copy_database("build-one", "build-two");
    tree.check(&[]).is(2).says("build-one").says("build-two").says("-p");
}

#[test]
fn bad_json_is_status_2_and_names_file_and_line() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.write("compile_commands.json", "[\n  {\"directory\": \".\",\n   \"file\" \"error.c\"}\n]\n");
    tree.check(&[]).is(2).says("compile_commands.json:3");
}

#[test]
fn a_database_that_is_no_list_is_status_2() {
    for text in ["", "{}", "null", "[1]", "[{\"file\": 7}]", "[[]]"] {
        let tree = Tree::with(&[("error.c", ERROR)]);
        tree.write("compile_commands.json", text);
        tree.check(&[]).is(2).says("compile_commands.json");
    }
}

#[test]
fn a_database_without_c_files_is_status_2_and_names_what_it_has() {
    let tree = Tree::with(&[]);
    tree.write("new.cc", "");
    tree.write(
        "compile_commands.json",
        r#"[{"directory": ".", "file": "new.cc", "arguments": ["c++", "-c", "new.cc"]}]"#,
    );
    tree.check(&[]).is(2).says("C++");
}

#[test]
fn other_languages_are_counted_and_named() {
    let tree = Tree::with(&[("clean.c", CLEAN)]);
    tree.write("new.cc", "this is no C++");
    tree.database(&[entry("clean.c"), json!({"directory": ".", "file": "new.cc", "command": "c++ -c new.cc"})]);
    let out = tree.check(&[]).is(0).says("1 C++");
    assert!(out.stdout.contains("1 translation unit ("), "{out:?}");
}

#[test]
fn an_unknown_option_is_status_2() {
    Tree::with(&[("clean.c", CLEAN)]).check(&["--no-such-option"]).is(2).says("--no-such-option");
}

#[test]
fn an_unknown_format_is_status_2() {
    Tree::with(&[("clean.c", CLEAN)]).check(&["--format", "poem"]).is(2).says("poem");
}

#[test]
fn no_subcommand_is_status_2() {
    run(Command::new(program()).current_dir("/")).is(2).says("Usage");
}

#[test]
fn a_bad_glob_is_status_2() {
    Tree::with(&[("clean.c", CLEAN)]).check(&["--only", "block/[a"]).is(2).says("--only").says("block/[a");
}

#[test]
fn a_glob_that_matches_nothing_is_status_2() {
    Tree::with(&[("clean.c", CLEAN)]).check(&["--only", "nowhere/**"]).is(2).says("matches `only`");
}

#[test]
fn a_path_that_is_not_there_is_status_2() {
    Tree::with(&[("clean.c", CLEAN)]).check(&["gone.c"]).is(2).says("gone.c");
}

#[test]
fn inputs_of_the_generator_that_are_not_there_are_status_2() {
    let tree = Tree::with(&[("clean.c", CLEAN)]);
    tree.check(&["--inputs", "include/co.h"]).is(0);
    tree.check(&["--inputs", "include/co.h,include/none.h"]).is(2).says("include/none.h");
}

#[test]
fn a_unit_that_does_not_parse_is_status_2() {
    Tree::with(&[("broken.c", BROKEN), ("clean.c", CLEAN)]).check(&[]).is(2).says("broken.c:3:");
}

#[test]
fn a_unit_whose_file_is_gone_is_status_2() {
    let tree = Tree::with(&[("gone.c", CLEAN), ("clean.c", CLEAN)]);
    tree.remove("gone.c");
    tree.check(&[]).is(2).says("gone.c");
    tree.check(&["--allow-incomplete"]).is(0).says("gone.c");
}

#[test]
fn allow_incomplete_makes_it_0_without_errors() {
    Tree::with(&[("broken.c", BROKEN), ("clean.c", CLEAN)]).check(&["--allow-incomplete"]).is(0).says("broken.c:3:");
}

#[test]
fn allow_incomplete_makes_it_1_with_errors() {
    let out = Tree::with(&[("broken.c", BROKEN), ("error.c", ERROR)])
        .check(&["--allow-incomplete", "--format", "short"])
        .is(1)
        .says("broken.c:3:");
    assert!(out.stdout.contains(ERROR_LINE), "{out:?}");
}

#[test]
fn a_bad_pack_is_status_2_and_names_file_and_line() {
    let tree = Tree::with(&[("clean.c", CLEAN)]);
    tree.write("mine.toml", "name = \"mine\"\nheaders = []\nheadres = []\n");
    tree.check(&["--pack", "mine.toml"]).is(2).says("mine.toml").says("headres").says("line 3");
    tree.check(&["--pack", "none.toml"]).is(2).says("none.toml");
}

/// What `docs/pointers.md` says that one can do about a finding through a pointer, on its own example.
#[test]
fn what_silences_or_moves_a_finding_through_a_pointer_does() {
    const TAPE: &str = "#include \"co.h\"\n\
        struct DiskOps { void (*unload)(void); };\n\
        void no_coroutine_fn disk_drain(void);\n\
        static void tape_unload(void) { disk_drain(); }\n\
        const struct DiskOps tape_ops = { .unload = tape_unload };\n\
        void coroutine_fn disk_co_eject(const struct DiskOps *ops);\n\
        void coroutine_fn disk_co_eject(const struct DiskOps *ops) { ops->unload(); }\n";
    let findings = |text: &str, pack: Option<&str>| {
        let tree = Tree::with(&[("tape.c", text)]);
        tree.write("mine.toml", &format!("extends = \"qemu\"\nname = \"mine\"\n{}", pack.unwrap_or_default()));
        let pack: &[&str] = if pack.is_some() { &["--pack", "mine.toml"] } else { &[] };
        let out = tree.check(&[&["--format", "short"], pack].concat());
        out.findings().into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    let one = |text: &str, pack: Option<&str>, wanted: &str| {
        let found = findings(text, pack);
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert!(only.contains(wanted), "{only}");
    };
    one(TAPE, None, "from `coroutine_fn` `disk_co_eject` may lead to `no_coroutine_fn` `disk_drain`");
    one(&TAPE.replace("static void", "static void no_coroutine_fn"), None, "may reach `no_coroutine_fn` `tape_unload`");
    let slot = |mark: &str| TAPE.replace("void (*unload)", &format!("void {mark} (*unload)"));
    one(&slot("no_coroutine_fn"), None, "error: call through `no_coroutine_fn` `DiskOps::unload` from `coroutine_fn`");
    one(
        &slot("coroutine_fn"),
        None,
        "error: `no_coroutine_fn` `disk_drain` called from `tape_unload` (stored in a coroutine-only slot)",
    );
    let guarded = TAPE.replace("{ disk_drain(); }", "{ if (!qemu_in_coroutine()) { disk_drain(); } }");
    assert_eq!(findings(&guarded, None), Vec::<String>::new());
    let model = "[[model]]\nfunctions = [\"tape_unload\"]\neffect = \"either\"\nreason = \"it drains elsewhere\"\n";
    assert_eq!(findings(TAPE, Some(model)), Vec::<String>::new());
    let cut = "[[cut]]\ncaller = \"disk_co_eject\"\ncallee = \"tape_unload\"\nreason = \"no tape there\"\n";
    assert_eq!(findings(TAPE, Some(cut)), Vec::<String>::new());
}

#[test]
fn a_pack_of_ones_own_replaces_the_one_for_qemu() {
    let tree = Tree::with(&[("error.c", ERROR), ("fiber.c", "#include \"fiber.h\"\nvoid f(void) { sink(); }\n")]);
    tree.write("api/fiber.h", "#define IN_FIBER\nvoid IN_FIBER sink(void);\nvoid f(void);\n");
    tree.write(
        "mine.toml",
        "name = \"mine\"\nheaders = [\"api/*.h\"]\n[[mark]]\nname = \"IN_FIBER\"\neffect = \"inside-only\"\n",
    );
    tree.database(&[entry("error.c"), json!({"directory": ".", "file": "fiber.c", "command": "cc -Iapi -c fiber.c"})]);
    let out = tree.check(&["--pack", "mine.toml", "--format", "short"]).is(1);
    assert_eq!(out.findings().len(), 1, "{out:?}");
    assert!(out.findings()[0].starts_with("fiber.c:2:"), "{out:?}");
}

#[test]
fn an_index_gives_what_the_tree_gives() {
    let tree = Tree::with(&[("error.c", ERROR), ("warning.c", WARNING), ("through.c", THROUGH)]);
    let direct = tree.check(&["--format", "json"]).is(1);
    tree.cowrap(&["index", "-o", "saved"]).is(0);
    // Nothing of the tree is read again.
    tree.remove("compile_commands.json");
    let saved = tree.check(&["--format", "json", "--index", "saved"]).is(1);
    assert_eq!(direct.stdout, saved.stdout);
    tree.check(&["--index", "saved", "-p", "."]).is(2).says("--index");
}

#[test]
fn an_index_that_cannot_be_used_is_status_2_and_says_what_to_do() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.cowrap(&["index", "-o", "saved"]).is(0);
    let good = std::fs::read(tree.path("saved")).expect("an index");
    let refuses = |bytes: &[u8], why: &str| {
        std::fs::write(tree.path("bad"), bytes).expect("written");
        tree.check(&["--index", "bad"]).is(2).says("bad").says(why).says("cowrap index");
    };
    refuses(b"", "is not an index");
    refuses(b"int main(void) {}", "is not an index");
    refuses(b"cowrap index 1 0.0.1\n", "another version");
    for cut in [good.len() - 1, good.len() / 2, good.iter().position(|byte| *byte == b'\n').expect("a header") + 1] {
        refuses(&good[..cut], "is damaged");
    }
    for at in (good.len() / 3..good.len()).step_by(good.len() / 7) {
        let mut changed = good.clone();
        changed[at] ^= 0x20;
        refuses(&changed, "is damaged");
    }
    let pack = "name = \"mine\"\nextends = \"qemu\"\n[[mark]]\nname = \"IN_FIBER\"\neffect = \"either\"\n";
    tree.write("mine.toml", pack);
    tree.check(&["--index", "saved", "--pack", "mine.toml"]).is(2).says("another pack");
    tree.check(&["--index", "nowhere"]).is(2).says("nowhere");
}

#[test]
fn an_index_is_written_whole_or_not_at_all() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.write("saved", "something else");
    tree.cowrap(&["index", "-o", "no/such/directory"]).is(2).says("no/such/directory");
    tree.cowrap(&["index", "-p", "nowhere", "-o", "saved"]).is(2);
    assert_eq!(std::fs::read_to_string(tree.path("saved")).expect("it is there"), "something else");
    // Units that cannot be read make a status of 2; what was read is kept all the same.
    tree.write("broken.c", BROKEN);
    tree.database(&[entry("error.c"), entry("broken.c")]);
    tree.cowrap(&["index", "-o", "saved"]).is(2).says("1 translation unit could not be read");
    tree.check(&["--index", "saved", "--allow-incomplete"]).is(1);
    tree.check(&["--index", "saved"]).is(2);
}

#[test]
fn opt_in_rules_run_when_they_are_enabled() {
    let text = "#include \"co.h\"\nvoid coroutine_fn idle(void);\nvoid coroutine_fn idle(void) {}\n";
    let tree = Tree::with(&[("idle.c", text)]);
    let out = tree.check(&["--format", "short"]).is(0);
    assert!(out.findings().is_empty(), "{out:?}");
    let out = tree.check(&["--format", "short", "--enable", "eligible-mark,superfluous-mark"]).is(0);
    assert!(out.findings()[0].contains("[superfluous-mark]"), "{out:?}");
    tree.check(&["--enable", "superflous-mark"]).is(2).says("superflous-mark").says("superfluous-mark");
}

/// A coroutine that blocks through an unmarked function.
const THROUGH: &str = "\
#include \"co.h\"
void no_coroutine_fn block(void);
static void between(void) { block(); }
void coroutine_fn work(void);
void coroutine_fn work(void) { between(); }
";

#[test]
fn a_cut_takes_chains_away_and_is_told_when_it_is_of_no_use() {
    let tree = Tree::with(&[("through.c", THROUGH)]);
    tree.check(&[]).is(1).says("blocking-call");
    let pack = |caller: &str, reason: &str| {
        tree.write(
            "mine.toml",
            &format!(
                "name = \"mine\"\nextends = \"qemu\"\n[[cut]]\ncaller = \"{caller}\"\ncallee = \"between\"\n\
                 reason = \"{reason}\"\n"
            ),
        );
    };
    pack("work", "it is never full");
    let out = tree.check(&["--pack", "mine.toml"]).is(0);
    assert!(!out.stdout.contains("matches no call"), "{out:?}");
    pack("block", "it is never full");
    let out = tree.check(&["--pack", "mine.toml"]).is(1);
    assert!(out.stdout.contains("cut from `block` to `between` matches no call"), "{out:?}");
    pack("work", " ");
    tree.check(&["--pack", "mine.toml"]).is(2).says("mine.toml").says("`between`").says("reason");
}

#[test]
fn a_tree_that_defines_no_mark_is_status_2() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    let without: String = MARKS.lines().map(|line| line.replace("#define co", "#define xo") + "\n").collect();
    tree.write("include/co.h", &without.replace("#define no_co", "#define xo_co").replace("coroutine_fn ", ""));
    tree.check(&[]).is(2).says("coroutine_fn").says("--root");
}

#[test]
fn the_root_can_be_given() {
    let tree = Tree::with(&[]);
    tree.write("include/co.h", MARKS);
    tree.write("a/error.c", ERROR);
    tree.write(
        "a/compile_commands.json",
        r#"[{"directory": ".", "file": "error.c", "command": "cc -I../include -c error.c"}]"#,
    );
    tree.check(&["-p", "a"]).is(2).says("--root");
    let out = tree.check(&["-p", "a", "--root", ".", "--format", "short"]).is(1);
    assert_eq!(out.findings(), [format!("a/{ERROR_LINE}")]);
    tree.check(&["-p", "a", "--root", "nowhere"]).is(2).says("nowhere");
}

#[test]
fn a_database_and_flags_together_are_status_2() {
    Tree::with(&[("clean.c", CLEAN)]).check(&["-p", ".", "clean.c", "--", "-Iinclude"]).is(2).says("-p");
}

#[test]
fn flags_without_files_are_status_2() {
    Tree::with(&[("clean.c", CLEAN)]).check(&["--", "-Iinclude"]).is(2).says("--");
}

// --- where the database is --------------------------------------------------------------------------------------

#[test]
fn the_database_is_found_in_the_working_directory() {
    Tree::with(&[("error.c", ERROR)]).check(&[]).is(1);
}

#[test]
fn the_database_is_found_in_build() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.move_database("build");
    assert_eq!(tree.check(&["--format", "short"]).is(1).findings(), [ERROR_LINE]);
}

#[test]
fn the_database_is_found_in_the_only_directory_called_build_something() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.move_database("build-arm");
    // A directory without a database is no candidate.
    tree.write("build-notes/readme", "");
    assert_eq!(tree.check(&["--format", "short"]).is(1).findings(), [ERROR_LINE]);
}

#[test]
fn the_working_directory_comes_before_build() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.write("build/compile_commands.json", "[");
    tree.check(&[]).is(1);
}

#[test]
fn the_database_can_be_given_by_its_directory_or_its_file() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.move_database("out/deep");
    let whole = tree.path("out/deep/compile_commands.json").into_os_string().into_string().expect("UTF-8");
    for given in ["out/deep", "out/deep/", "./out/../out/deep", "out/deep/compile_commands.json", &whole] {
        assert_eq!(tree.check(&["-p", given, "--format", "short"]).is(1).findings(), [ERROR_LINE], "{given}");
        assert_eq!(tree.check(&["--build", given, "--format", "short"]).is(1).findings(), [ERROR_LINE], "{given}");
    }
}

#[test]
fn a_database_of_another_name_can_be_given() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    std::fs::rename(tree.path("compile_commands.json"), tree.path("gcc.json")).expect("renamed");
    tree.check(&["-p", "gcc.json"]).is(1);
}

#[test]
fn the_working_directory_does_not_change_what_is_shown() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    let here = tree.check(&[]).is(1);
    let mut elsewhere = tree.command(&["-p", ".."]);
    assert_eq!(run(elsewhere.current_dir(tree.path("include"))).is(1).stdout, here.stdout);
    let mut far = tree.command(&["-p"]);
    assert_eq!(run(far.arg(tree.root()).current_dir("/")).is(1).stdout, here.stdout);
}

#[test]
fn the_command_of_an_entry_is_split_like_a_shell_does() {
    let tree = Tree::with(&[(
        "quoted.c",
        "#include \"co.h\"\nconst char *text = TEXT;\n_Static_assert(sizeof TEXT == 4, \"a b\");\nvoid f(void);\nvoid f(void) { CALL }\n",
    )]);
    let command = r#"cc -Iinclude -D'TEXT="a b"' "-DCALL=drain();" -c quoted\.c -o 'a b.o'"#;
    tree.database(&[json!({"directory": ".", "file": "quoted.c", "command": command})]);
    tree.check(&[]).is(1).says("quoted.c:5:");
}

#[test]
fn one_file_may_have_several_entries() {
    let tree = Tree::with(&[(
        "twice.c",
        "#include \"co.h\"\nvoid f(void);\nvoid f(void) {\n#ifdef FOO\n drain();\n#endif\n}\n",
    )]);
    let with = |flag: &str| json!({"directory": ".", "file": "twice.c", "arguments": ["cc", "-Iinclude", flag, "-c", "twice.c"]});
    tree.database(&[with("-DBAR"), with("-DFOO"), with("-DFOO"), with("-DBAZ")]);
    let out = tree.check(&["--format", "short"]).is(1);
    assert_eq!(out.findings().len(), 1, "{out:?}");
    assert!(out.findings()[0].starts_with("twice.c:5:2: error: "), "{out:?}");
}

// --- what is checked, and what is reported ----------------------------------------------------------------------

/// Two units of which one needs the other's mark.
fn mark_elsewhere() -> Tree {
    Tree::with(&[
        ("user.c", "void sink(void);\nvoid plain(void);\nvoid plain(void)\n{\n    sink();\n}\n"),
        ("sub/sink.c", "#include \"co.h\"\nvoid coroutine_fn sink(void) { drain(); }\n"),
        ("sub/error.c", ERROR),
    ])
}

#[test]
fn a_path_restricts_what_is_reported_but_not_what_is_read() {
    let tree = mark_elsewhere();
    let all = tree.check(&["--format", "short"]).is(1);
    assert!(all.findings().iter().any(|line| line.starts_with("sub/error.c:")), "{all:?}");
    for path in ["user.c", "./user.c", "sub/../user.c"] {
        let out = tree.check(&[path, "--format", "short"]).is(1);
        assert!(out.findings().iter().any(|line| line.starts_with("user.c:5:5: error: ")), "{path}: {out:?}");
        assert!(!out.stdout.contains("sub/error.c:"), "{path}: {out:?}");
    }
    let out = tree.check(&["sub", "--format", "short"]).is(1);
    assert!(out.findings().iter().all(|line| line.starts_with("sub/")), "{out:?}");
    assert_eq!(tree.check(&["sub", "user.c", "--format", "short"]).stdout, all.stdout);
}

#[test]
fn a_path_is_relative_to_the_working_directory() {
    let tree = mark_elsewhere();
    let mut command = tree.command(&["-p", "..", "error.c", "--format", "short"]);
    let out = run(command.current_dir(tree.path("sub"))).is(1);
    assert_eq!(out.findings(), [format!("sub/{ERROR_LINE}")]);
}

#[test]
fn findings_elsewhere_do_not_count_for_the_status() {
    let tree = Tree::with(&[("error.c", ERROR), ("clean.c", CLEAN)]);
    tree.check(&["clean.c"]).is(0).says("0 errors");
}

#[test]
fn only_restricts_what_is_read() {
    let tree = mark_elsewhere();
    let out = tree.check(&["--only", "**/*.c", "--only", "nowhere", "--format", "short"]).is(1);
    assert!(out.stdout.contains("3 translation units"), "{out:?}");
    // Without the unit that bears the mark, nothing says that `sink` is coroutine only.
    let out = tree.check(&["--only", "user.c", "--format", "short"]).is(0);
    assert_eq!(out.findings(), [""; 0]);
    let out = tree.check(&["--only", "user.c", "--only", "**/sink.c", "--format", "short"]).is(1);
    assert!(out.stdout.contains("2 translation units") && !out.stdout.contains("sub/error.c"), "{out:?}");
}

#[test]
fn a_file_can_be_checked_without_a_database() {
    let tree = Tree::with(&[]);
    tree.write("one.c", "#include \"co.h\"\nvoid f(void);\nvoid f(void) {\n#ifdef FOO\n drain();\n#endif\n}\n");
    tree.remove("compile_commands.json");
    tree.check(&["one.c", "--", "-Iinclude"]).is(0);
    tree.check(&["one.c", "--", "-Iinclude", "-DFOO"]).is(1).says("one.c:5:2");
    tree.check(&["one.c", "--", "-I", "include", "-D", "FOO"]).is(1).says("one.c:5:2");
    tree.check(&["one.c", "--"]).is(2).says("'co.h' file not found");
    tree.check(&["two.c", "--", "-Iinclude"]).is(2).says("two.c");
    tree.check(&["include", "--", "-Iinclude"]).is(2).says("include");
}

#[test]
fn several_files_without_a_database_are_one_program() {
    let tree = mark_elsewhere();
    let out = tree.check(&["user.c", "sub/sink.c", "--format", "short", "--", "-Iinclude"]).is(1);
    assert!(out.findings().iter().any(|line| line.starts_with("user.c:5:5: error: ")), "{out:?}");
    let out = tree.check(&["user.c", "--format", "short", "--", "-Iinclude"]).is(0);
    assert_eq!(out.findings(), [""; 0]);
}

#[test]
fn flags_that_load_something_are_refused_without_a_database_too() {
    let tree = Tree::with(&[]);
    tree.write("one.c", CLEAN);
    tree.check(&["one.c", "--", "-Iinclude", "-fplugin=./evil.so"]).is(2).says("-fplugin=./evil.so");
}

// --- units that cannot be read ----------------------------------------------------------------------------------

#[test]
fn a_broken_unit_hides_nothing_of_the_good_ones() {
    let tree = Tree::with(&[("broken.c", BROKEN), ("error.c", ERROR), ("other.c", BROKEN)]);
    for format in ["human", "short"] {
        let out = tree.check(&["--format", format]).is(2);
        assert!(out.stdout.contains("error.c:5:5"), "{out:?}");
        assert_eq!(out.stdout.matches("expected expression").count(), 1, "{out:?}");
        assert_eq!(out.stdout.matches("broken.c:3:28").count(), 1, "{out:?}");
        assert!(out.stdout.contains("other.c"), "{out:?}");
        assert!(out.stdout.contains("3 translation units (2 failed)"), "{out:?}");
    }
    let out = tree.check(&["--format", "json"]).is(2).json();
    assert_eq!(out["findings"].as_array().expect("a list").len(), 1);
    assert_eq!(out["problems"].as_array().expect("a list").len(), 2);
    assert_eq!(out["problems"][0]["kind"], "parse");
    assert_eq!(out["problems"][0]["message"], "expected expression");
    assert_eq!(out["summary"]["failed_units"], 2);
}

/// What a unit that was not read names may be called there, outside of coroutines: its callers are not all known.
#[test]
fn a_broken_unit_may_call_what_it_names() {
    let helper = "#include \"co.h\"\n\
                  void coroutine_fn disk_co_read(void);\nvoid coroutine_mixed_fn disk_read(void);\n\
                  void load(void);\nvoid load(void) { disk_read(); }\n\
                  void coroutine_fn run(void);\nvoid coroutine_fn run(void) { load(); }\n";
    let allow = ["--allow-incomplete", "--format", "short"];
    let message = "`disk_read` called from unmarked `load`";
    Tree::with(&[("helper.c", helper), ("broken.c", BROKEN)]).check(&allow).is(0).says(message);
    let caller = BROKEN.replace("drain( }", "load(); drain( }");
    let tree = Tree::with(&[("helper.c", helper), ("broken.c", &caller)]);
    let out = tree.check(&allow).is(0);
    assert!(!out.stdout.contains(message), "{out:?}");
    tree.cowrap(&["index", "--allow-incomplete", "-o", "saved"]).is(0);
    let out = tree.check(&["--index", "saved", "--allow-incomplete", "--format", "short"]).is(0);
    assert!(!out.stdout.contains(message), "{out:?}");
}

#[test]
fn a_missing_header_gets_advice() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.write("needs.c", "#include \"co.h\"\n#include \"qapi/generated.h\"\n");
    tree.database(&[entry("error.c"), entry("needs.c")]);
    let out = tree.check(&[]).is(2).says("needs.c:2:10").says("'qapi/generated.h' file not found");
    assert!(out.stdout.contains("build the generated headers first"), "{out:?}");
    assert!(out.stdout.contains("error.c:5:5"), "{out:?}");
}

#[test]
fn a_unit_that_crashes_libclang_costs_itself_alone() {
    for pragma in ["parser_crash", "crash", "llvm_fatal_error"] {
        let tree = Tree::with(&[("error.c", ERROR)]);
        tree.write("crash.c", &format!("#include \"co.h\"\n#pragma clang __debug {pragma}\nint x;\n"));
        tree.database(&[entry("crash.c"), entry("error.c")]);
        let out = tree.check(&["--format", "short"]).is(2).says("crash.c");
        assert!(out.stdout.contains(ERROR_LINE), "{pragma}: {out:?}");
        assert!(out.stdout.contains("2 translation units (1 failed)"), "{pragma}: {out:?}");
    }
}

// --- a hostile database -----------------------------------------------------------------------------------------

/// Checks that these arguments of the second entry are refused, by name, and cost that entry alone.
fn is_refused(arguments: &[&str], named: &str) {
    let tree = Tree::with(&[("error.c", ERROR), ("evil.c", CLEAN)]);
    tree.write("plugin.rsp", "-fplugin=./evil.so\n");
    tree.write("evil.cfg", "-fplugin=./evil.so\n");
    let outside = tempfile::tempdir().expect("a directory");
    std::fs::write(outside.path().join("flags.rsp"), "-DFOO\n").expect("written");
    let outside = outside.path().to_str().expect("UTF-8");
    let with: Vec<String> = arguments.iter().map(|argument| argument.replace("OUTSIDE", outside)).collect();
    let mut all = vec!["cc".to_owned(), "-Iinclude".to_owned()];
    all.extend(with);
    all.extend(["-c".to_owned(), "evil.c".to_owned()]);
    tree.database(&[entry("error.c"), json!({"directory": ".", "file": "evil.c", "arguments": all})]);
    let out = tree.check(&["--format", "short"]).is(2);
    assert!(out.stdout.contains(ERROR_LINE), "{arguments:?}: {out:?}");
    assert!(out.stdout.contains("evil.c") && out.stdout.contains("refused"), "{arguments:?}: {out:?}");
    assert!(out.stdout.contains(named), "{arguments:?}: {out:?}");
    assert!(out.stdout.contains("2 translation units (1 failed)"), "{arguments:?}: {out:?}");
    let out = tree.check(&["--format", "json"]).is(2).json();
    assert_eq!(out["problems"][0]["kind"], "refused", "{arguments:?}");
    assert_eq!(out["problems"][0]["file"], "evil.c", "{arguments:?}");
}

#[test]
fn plugins_are_refused() {
    is_refused(&["-fplugin=./evil.so"], "-fplugin=./evil.so");
    is_refused(&["-fpass-plugin=./evil.so"], "-fpass-plugin=./evil.so");
    is_refused(&["-fplugin-arg-evil-x"], "-fplugin-arg-evil-x");
}

#[test]
fn arguments_past_the_driver_are_refused() {
    is_refused(&["-Xclang", "-load", "-Xclang", "./evil.so"], "-load");
    is_refused(&["-Xclang", "-plugin", "-Xclang", "evil"], "-plugin");
    is_refused(&["-Xclang=-load", "-Xclang=./evil.so"], "-Xclang=-load");
    is_refused(&["-mllvm", "-load=./evil.so"], "-mllvm");
    is_refused(&["-Wp,-load,./evil.so"], "-Wp,-load,./evil.so");
}

#[test]
fn configuration_files_are_refused() {
    is_refused(&["--config=./evil.cfg"], "--config=./evil.cfg");
    is_refused(&["--config", "./evil.cfg"], "--config");
    is_refused(&["--config-user-dir=."], "--config-user-dir=.");
    is_refused(&["--config-system-dir=."], "--config-system-dir=.");
}

#[test]
fn response_files_outside_of_the_tree_are_refused() {
    is_refused(&["@OUTSIDE/flags.rsp"], "flags.rsp");
    is_refused(&["@/etc/passwd"], "@/etc/passwd");
}

#[test]
fn what_a_response_file_holds_is_refused_too() {
    is_refused(&["@plugin.rsp"], "-fplugin=./evil.so");
}

#[test]
fn other_programs_to_run_are_refused() {
    is_refused(&["-B./evil"], "-B./evil");
    is_refused(&["-B", "./evil"], "-B");
    is_refused(&["-specs=./evil"], "-specs=./evil");
    is_refused(&["-wrapper", "./evil"], "-wrapper");
}

#[test]
fn a_refused_entry_is_named_by_its_number() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    let evil = json!({"directory": ".", "file": "error.c", "arguments": ["cc", "-Iinclude", "-fplugin=x", "error.c"]});
    tree.database(&[entry("error.c"), entry("error.c"), evil]);
    // People count from the first; the entry is the third.
    let out = tree.check(&[]).is(2);
    assert!(out.stdout.contains("entry 2") || out.stdout.contains("entry 3"), "{out:?}");
}

#[test]
fn nothing_that_a_database_names_is_run() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.write("cc", "#!/bin/sh\ntouch \"$(dirname \"$0\")/pwned\"\nexit 1\n");
    tree.make_executable("cc");
    let cc = tree.path("cc").into_os_string().into_string().expect("UTF-8");
    let pwned = tree.path("pwned").into_os_string().into_string().expect("UTF-8");
    let entries = [
        json!({"directory": ".", "file": "error.c", "arguments": [cc, "-Iinclude", "-c", "error.c"]}),
        json!({"directory": ".", "file": "error.c", "command": format!("{cc} -Iinclude -c error.c")}),
        json!({"directory": ".", "file": "error.c", "command": "./cc -Iinclude -c error.c"}),
        json!({"directory": ".", "file": "error.c", "command": format!("ccache {cc} -Iinclude -c error.c")}),
        json!({"directory": ".", "file": "error.c", "command": format!("cc -Iinclude '-DX=$(touch {pwned})' -c error.c")}),
        json!({"directory": ".", "file": "error.c", "command": format!("cc -Iinclude -DX=$(touch {pwned}) -c error.c")}),
        json!({"directory": ".", "file": "error.c", "command": format!("cc -Iinclude -DX=`touch {pwned}` -c error.c")}),
        json!({"directory": ".", "file": "error.c", "command": format!("cc -Iinclude -c error.c; touch {pwned}")}),
        json!({"directory": ".", "file": "error.c", "command": format!("cc -Iinclude -c error.c && touch {pwned}")}),
        json!({"directory": ".", "file": "error.c", "command": format!("cc -Iinclude -c error.c > {pwned}")}),
        json!({"directory": ".", "file": "error.c", "arguments": [cc, "-Iinclude", "-c", "error.c", "-o", pwned]}),
        json!({"directory": ".", "file": "error.c", "arguments": [cc, "-Iinclude", "-MD", "-MF", pwned, "error.c"]}),
        json!({"directory": ".", "file": "error.c", "arguments": [cc, "-Iinclude", "-save-temps=obj", "-o", pwned, "error.c"]}),
        json!({"directory": ".", "file": "error.c", "arguments": [cc, "-Iinclude", "--serialize-diagnostics", pwned, "error.c"]}),
        json!({"directory": ".", "file": "error.c", "arguments": [cc, "-Iinclude", "-MJ", pwned, "error.c"]}),
        json!({"directory": ".", "file": "error.c", "arguments": [cc, "-Iinclude", format!("-ftime-trace={pwned}"), "error.c"]}),
        json!({"directory": ".", "file": "error.c", "arguments": [cc, "-Iinclude", format!("-Wp,-MD,{pwned}"), "error.c"]}),
        json!({"directory": ".", "file": "error.c", "arguments": [cc, "-Iinclude", format!("-dependency-dot={pwned}"), "error.c"]}),
    ];
    for entry in entries {
        let before = tree.everything();
        tree.database(std::slice::from_ref(&entry));
        let out = tree.check(&["--format", "short"]);
        assert!(!tree.path("pwned").exists(), "{entry}: {out:?}");
        assert_eq!(tree.everything(), before, "{entry}: a file appeared");
        assert!(matches!(out.status, Some(0..=2)), "{entry}: {out:?}");
    }
}

#[test]
fn the_compiler_of_an_entry_does_not_matter() {
    for compiler in ["gcc-13", "/opt/none/bin/arm-none-eabi-gcc", "clang-99", "ccache gcc", "distcc cc", "./no/such/cc"]
    {
        let tree = Tree::with(&[("error.c", ERROR)]);
        let command = format!("{compiler} -Iinclude -c error.c -o error.o");
        tree.database(&[json!({"directory": ".", "file": "error.c", "command": command})]);
        assert_eq!(tree.check(&["--format", "short"]).is(1).findings(), [ERROR_LINE], "{compiler}");
    }
}

#[test]
fn a_database_of_gcc_is_read() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    let flags = "-std=gnu11 -O2 -g3 -fconserve-stack -fno-var-tracking-assignments -fno-ipa-cp-clone \
                 -fno-tree-loop-distribute-patterns -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr \
                 -mpreferred-stack-boundary=4 -mrecord-mcount -mindirect-branch=thunk-extern -fno-partial-inlining \
                 --param=allow-store-data-races=0 -Wimplicit-fallthrough=2 -Wno-maybe-uninitialized -Wshadow=local \
                 -Werror -Wa,--noexecstack -fdiagnostics-color=auto -fwhole-program -flto=auto -fno-fat-lto-objects \
                 -fno-allow-store-data-races -fstack-clash-protection -fno-semantic-interposition -mno-fp-ret-in-387 \
                 -pipe -pthread -MD -MQ error.o -MF error.d -fsome-flag-of-the-future -fanalyzer \
                 -fmin-function-alignment=16 -fstrict-flex-arrays=3 -fharden-compares";
    let command = format!("gcc -Iinclude {flags} -o error.o -c error.c");
    tree.database(&[json!({"directory": ".", "file": "error.c", "command": command})]);
    let out = tree.check(&["--format", "short"]).is(1);
    assert_eq!(out.findings(), [ERROR_LINE]);
    assert!(out.stdout.contains("(0 failed)"), "{out:?}");
}

#[test]
fn a_value_that_clang_does_not_know_costs_nothing_but_itself() {
    for option in ["-march=zz", "-std=gnu99x", "-fsanitize=bogus", "-mno-such"] {
        let tree = Tree::with(&[("error.c", ERROR)]);
        let command = format!("gcc -Iinclude {option} -o error.o -c error.c");
        tree.database(&[json!({"directory": ".", "file": "error.c", "command": command})]);
        let out = tree.check(&["--format", "short"]).is(1);
        assert_eq!(out.findings(), [ERROR_LINE], "{option}");
        assert!(out.stdout.contains("(0 failed)"), "{option}: {out:?}");
    }
}

// --- names and places -------------------------------------------------------------------------------------------

#[test]
fn a_tree_may_be_below_a_path_with_spaces() {
    let tree = Tree::below("my own tree");
    tree.write("error.c", ERROR);
    tree.database(&[entry("error.c")]);
    assert_eq!(tree.check(&["--format", "short"]).is(1).findings(), [ERROR_LINE]);
    let whole = tree.root().to_str().expect("UTF-8");
    let command = format!("cc '-I{whole}/include' -c '{whole}/error.c'");
    tree.database(&[json!({"directory": whole, "file": format!("{whole}/error.c"), "command": command})]);
    assert_eq!(tree.check(&["--format", "short"]).is(1).findings(), [ERROR_LINE]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_tree_may_be_below_a_path_that_is_not_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let tree = Tree::below(OsStr::from_bytes(b"tr\xffee"));
    tree.write("error.c", ERROR);
    tree.database(&[entry("error.c")]);
    for format in FORMATS {
        let out = tree.check(&["--format", format]).is(1);
        assert!(out.stdout.contains("error.c"), "{out:?}");
    }
    assert_eq!(tree.check(&["--format", "short"]).is(1).findings(), [ERROR_LINE]);
    assert_eq!(tree.check(&["--format", "short", "error.c"]).is(1).findings(), [ERROR_LINE]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_may_have_a_name_that_is_not_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let tree = Tree::with(&[]);
    let name = OsStr::from_bytes(b"dr\xffain.c");
    std::fs::write(tree.root().join(name), ERROR).expect("written");
    let mut command = tree.command(&[]);
    let out = run(command.arg(name).args(["--format", "short", "--", "-Iinclude"])).is(1);
    assert!(out.stdout.starts_with("dr\u{fffd}ain.c:5:5: error: "), "{out:?}");
    let mut command = tree.command(&[]);
    let out = run(command.arg(name).args(["--", "-Iinclude"])).is(1);
    assert!(out.stdout.contains("drain();"), "the excerpt is missing: {out:?}");
}

#[test]
fn names_may_hold_quotes_and_backslashes() {
    let name = "it's \"b\\ad\" $x.c";
    let tree = Tree::with(&[(name, ERROR)]);
    let out = tree.check(&["--format", "short"]).is(1);
    assert!(out.findings()[0].starts_with(&format!("{name}:5:5: error: ")), "{out:?}");
    let command = r#"cc -Iinclude -c 'it'\''s "b\ad" $x.c'"#;
    tree.database(&[json!({"directory": ".", "file": name, "command": command})]);
    let out = tree.check(&["--format", "short"]).is(1);
    assert!(out.findings()[0].starts_with(&format!("{name}:5:5: error: ")), "{out:?}");
}

#[test]
fn control_characters_are_never_printed_as_they_are() {
    let name = "a\u{1b}[31m\r\u{7}b.c";
    let tree = Tree::with(&[(name, ERROR)]);
    tree.write("broken\u{1b}[2J.c", BROKEN);
    tree.database(&[entry(name), entry("broken\u{1b}[2J.c")]);
    for format in FORMATS {
        tree.check(&["--format", format, "-v"]).is(2).prints_no_control_characters();
    }
    tree.check(&["gone\u{1b}[31m.c"]).is(2).prints_no_control_characters();
    tree.check(&["-p", "gone\u{1b}[31m"]).is(2).prints_no_control_characters();
    tree.check(&["--pack", "gone\u{1b}[31m"]).is(2).prints_no_control_characters();
    tree.check(&["--only", "[\u{1b}[31m"]).is(2).prints_no_control_characters();
}

#[test]
fn control_characters_of_the_root_are_never_printed_as_they_are() {
    let tree = Tree::below("a\u{1b}[31mb");
    tree.write("error.c", ERROR);
    tree.database(&[entry("error.c")]);
    tree.check(&["-v"]).is(1).prints_no_control_characters();
    tree.write("include/co.h", "");
    tree.check(&[]).is(2).prints_no_control_characters();
}

#[test]
fn control_characters_of_the_source_are_never_printed_as_they_are() {
    let tree = Tree::with(&[("error.c", &ERROR.replace("drain();", "drain(); /* \u{1b}[31m \u{9b}31m \u{7} */"))]);
    tree.check(&[]).is(1).prints_no_control_characters();
}

#[test]
fn control_characters_of_a_compiler_message_are_never_printed_as_they_are() {
    let tree = Tree::with(&[("broken.c", "#include \"co.h\"\n#error \u{1b}[31m oops\n")]);
    tree.check(&[]).is(2).prints_no_control_characters();
}

// --- formats ----------------------------------------------------------------------------------------------------

#[test]
fn the_short_format_is_one_line_for_each_finding() {
    let tree = Tree::with(&[("error.c", ERROR), ("warning.c", WARNING)]);
    let out = tree.check(&["--format", "short"]).is(1);
    assert_eq!(
        out.stdout.lines().take(2).collect::<Vec<_>>(),
        [
            ERROR_LINE,
            "warning.c:2:5: warning: `coroutine_fn` on a declaration that is neither a function nor a function pointer \
             [misplaced-mark]",
        ]
    );
    assert!(out.stdout.lines().skip(2).all(|line| line.starts_with("cowrap: ")), "{out:?}");
    assert_eq!(out.stderr, "");
}

#[test]
fn the_json_format_is_one_document_with_stable_keys() {
    let tree = Tree::with(&[("error.c", ERROR), ("warning.c", WARNING), ("broken.c", BROKEN)]);
    let out = tree.check(&["--format", "json"]).is(2).json();
    assert_eq!(out["version"], 3);
    assert_eq!(out["tool"], json!({"name": "cowrap", "version": env!("CARGO_PKG_VERSION")}));
    assert_eq!(keys(&out), ["findings", "problems", "summary", "tool", "version"]);
    let finding = &out["findings"][0];
    assert_eq!(
        keys(finding),
        [
            "fingerprint",
            "fixes",
            "function",
            "help",
            "level",
            "message",
            "notes",
            "pack",
            "primary",
            "rule",
            "secondary",
            "state",
            "subjects"
        ]
    );
    assert_eq!((&finding["rule"], &finding["pack"]), (&json!("coroutine-call"), &json!("qemu")));
    assert_eq!(finding["level"], "error");
    assert_eq!(finding["function"], "plain");
    assert_eq!(finding["subjects"], json!([{"role": "caller", "name": "plain"}, {"role": "callee", "name": "drain"}]));
    assert_eq!(finding["primary"]["at"], json!({"path": "error.c", "line": 5, "column": 5}));
    assert_eq!(finding["secondary"][0]["at"], json!({"path": "include/co.h", "line": 8, "column": 6}));
    assert_eq!(out["findings"][1]["level"], "warning");
    assert_eq!(keys(&out["problems"][0]), ["at", "file", "help", "kind", "message"]);
    assert_eq!(
        keys(&out["summary"]),
        [
            "calls",
            "compared",
            "errors",
            "failed_units",
            "functions",
            "notes",
            "other_languages",
            "packs",
            "units",
            "unknown",
            "warnings"
        ]
    );
    assert_eq!(keys(&out["summary"]["unknown"]), ["bodies", "generated_files", "unresolved_calls"]);
    assert_eq!(
        keys(&out["summary"]["packs"][0]),
        [
            "creations",
            "entries",
            "inside_only",
            "name",
            "outside_only",
            "partly_known_calls",
            "pointer_calls",
            "words",
            "wrappers"
        ]
    );
    assert_eq!(out["summary"]["units"], 3);
    assert_eq!(out["summary"]["errors"], 1);
    assert_eq!(out["summary"]["warnings"], 1);
}

/// The example of `docs/json.md` is what the program prints.
#[test]
fn the_documented_json_is_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (text, example) = page.split_once("## Example").unwrap();
    let (introduction, example) = example.split_once("```json\n").unwrap();
    let (example, rest) = example.split_once("```").unwrap();
    let mut command = Command::new(program());
    command.current_dir(testdata().join("miniblock")).args(["check", "--format", "json", "mini-img.c"]);
    let out = run(&mut command).is(1);
    if expect::is_update() {
        let page = format!("{text}## Example{introduction}```json\n{}```{rest}", out.stdout);
        std::fs::write(path, page).unwrap();
        return;
    }
    let documented: Value = serde_json::from_str(example).unwrap();
    assert_eq!(out.json(), documented, "UPDATE_EXPECT=1 rewrites the example");
}

#[test]
fn json_stays_json_with_verbose() {
    Tree::with(&[("error.c", ERROR)]).check(&["--format", "json", "--verbose"]).is(1).json();
}

#[test]
fn the_human_format_names_the_rule_and_shows_call_and_mark() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    let out = tree.check(&[]).is(1);
    for part in [
        "error[coroutine-call]",
        "error.c:5:5",
        "drain();",
        "^^^^^",
        "co.h",
        "void coroutine_fn drain(void);",
        "help: ",
    ] {
        assert!(out.stdout.contains(part), "{part}: {out:?}");
    }
    assert_eq!(out.stderr, "", "no progress is shown when nobody looks");
    assert_eq!(tree.check(&["--format", "human"]).stdout, out.stdout);
}

#[test]
fn the_last_lines_say_what_was_covered() {
    let out = Tree::with(&[("error.c", ERROR), ("broken.c", BROKEN)]).check(&[]).is(2);
    let lines: Vec<&str> = out.stdout.lines().rev().take(4).collect();
    let [findings, unknown, _, covered] = lines.as_slice() else { panic!("{out:?}") };
    assert_eq!(*findings, "1 error, 0 warnings, 0 notes");
    assert!(unknown.starts_with("unknown: "), "{unknown}");
    assert_eq!(*covered, "2 translation units (1 failed), 1 function, 1 call");
}

#[test]
fn verbose_says_which_marks_were_found_where() {
    let out = Tree::with(&[("clean.c", CLEAN)]).check(&["--verbose"]).is(0);
    assert!(out.stdout.contains("`coroutine_fn`: defined at include/co.h:3"), "{out:?}");
    assert!(out.stdout.contains("`no_coroutine_fn`: defined at include/co.h:5"), "{out:?}");
}

#[test]
fn colour_is_only_for_terminals_unless_asked_for() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    let colored = |arguments: &[&str], no_color: Option<&str>| {
        let mut command = tree.command(arguments);
        command.env_remove("NO_COLOR");
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        run(&mut command).is(1).stdout.contains('\u{1b}')
    };
    assert!(!colored(&[], None), "a pipe is no terminal");
    assert!(!colored(&["--color", "auto"], None));
    assert!(!colored(&["--color", "never"], None));
    assert!(colored(&["--color", "always"], None));
    assert!(!colored(&[], Some("1")));
    assert!(colored(&["--color", "always"], Some("1")), "what is asked for in so many words wins");
    assert!(!colored(&["--color", "always", "--format", "short"], None), "only excerpts are coloured");
    assert!(!colored(&["--color", "always", "--format", "json"], None), "JSON is never coloured");
}

#[test]
fn colour_changes_nothing_else() {
    let tree = Tree::with(&[("error.c", ERROR), ("warning.c", WARNING)]);
    let plain = tree.check(&["--color", "never"]).is(1).stdout;
    let colored = tree.check(&["--color", "always"]).is(1).stdout;
    assert_eq!(without_colour(&colored), plain);
}

#[test]
fn a_reader_that_leaves_does_not_make_it_panic() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    for format in FORMATS {
        let mut child = Process::new(program())
            .args(["check", "--format", format])
            .current_dir(tree.root())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        drop(child.stdout.take());
        let out = child.wait_with_output().expect("ended");
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert!(!stderr.contains("panic") && stderr.is_empty(), "{format}: {stderr}");
        assert_eq!(out.status.code(), Some(1), "{format}: {:?}", out.status);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_status_2() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let out = Process::new(program())
        .arg("check")
        .current_dir(tree.root())
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .expect("started");
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("cannot write"), "{out:?}");
}

#[test]
fn a_report_can_be_written_in_several_formats_at_once() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    let text = |name: &str| std::fs::read_to_string(tree.path(name)).expect("written");
    tree.write("old.xml", "something else");
    let outputs = ["--output", "sarif=out.sarif", "--output", "junit=old.xml", "--output", "short=a=b"];
    let out = tree.check(&outputs).is(1);
    assert_eq!(out.stdout, tree.check(&[]).stdout, "standard output is as ever");
    assert_eq!(text("out.sarif"), tree.check(&["--format", "sarif"]).is(1).stdout);
    assert_eq!(text("old.xml"), tree.check(&["--format", "junit"]).is(1).stdout);
    assert_eq!(text("a=b"), tree.check(&["--format", "short"]).is(1).stdout);
    let out = tree.check(&["--output", "gitlab=-", "--output", "jsonl=lines"]).is(1);
    assert_eq!(out.json()[0]["check_name"], "coroutine-call");
    assert_eq!(text("lines").lines().count(), 2);
    // What is in a file is for others: it is never coloured.
    tree.check(&["--color", "always", "--output", "human=human.txt"]).is(1);
    assert_eq!(text("human.txt"), tree.check(&[]).stdout);
    let status = tree.check(&["--output", "json=status.json", "--allow-incomplete"]).status;
    assert_eq!(status, Some(1));
}

#[test]
fn outputs_that_cannot_be_are_status_2_before_anything_is_read() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    tree.write("dir/kept", "");
    for (arguments, why) in [
        (&["--output", "sarif=x", "--output", "gitlab=dir/../x"][..], "names dir/../x twice"),
        (&["--output", "sarif=-", "--output", "gitlab=-"], "standard output"),
        (&["--output", "sarif=-", "--format", "short"], "standard output"),
        (&["--output", "poem=x"], "sarif, gitlab"),
        (&["--output", "sarif"], "FORMAT=FILE"),
        (&["--output", "sarif="], "expected a file name"),
        (&["--output", "sarif=none/x"], "none/x"),
        (&["--output", "sarif=dir"], "cannot write dir"),
    ] {
        let out = tree.check(arguments).is(2).says(why);
        assert_eq!(out.stdout, "", "{arguments:?}");
    }
    assert!(!tree.path("x").exists());
    // A link to a file is that file.
    tree.write("x", "");
    std::os::unix::fs::symlink("x", tree.path("link")).expect("linked");
    tree.check(&["--output", "sarif=x", "--output", "gitlab=link"]).is(2).says("--output names link twice");
}

#[test]
fn a_report_may_go_to_a_pipe() {
    let tree = Tree::with(&[("error.c", ERROR)]);
    let pipe = tree.path("pipe");
    assert!(Process::new("mkfifo").arg(&pipe).status().expect("started").success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).expect("read")
    });
    tree.check(&["--output", "short=pipe"]).is(1);
    assert!(reader.join().expect("ended").starts_with(ERROR_LINE));
    assert!(!pipe.metadata().expect("it is there").is_file(), "a pipe is not replaced");
}

// --- determinism ------------------------------------------------------------------------------------------------

fn says_the_same_every_time(tree: &str, database: Option<&str>) {
    let directory = testdata().join(tree);
    for format in ["human", "short", "json"] {
        let mut first: Option<Outcome> = None;
        for jobs in ["1", "2", "4", "4", "4", "0"] {
            let mut command = Command::new(program());
            command.args(["check", "--format", format, "-j", jobs]);
            match database {
                // From the repository's root, as the README has it.
                Some(given) => command.args(["-p", given]).current_dir(env!("CARGO_MANIFEST_DIR")),
                None => command.current_dir(&directory),
            };
            let out = run(&mut command).is(1);
            match &first {
                Some(first) => assert_eq!(first.stdout, out.stdout, "{tree}, {format}, -j{jobs}"),
                None => first = Some(out),
            }
        }
    }
}

#[test]
fn miniblock_gives_the_same_bytes_every_time() {
    says_the_same_every_time("miniblock", None);
    says_the_same_every_time("miniblock", Some("testdata/miniblock"));
}

#[test]
fn miniblock_legacy_gives_the_same_bytes_every_time() {
    says_the_same_every_time("miniblock-legacy", None);
    says_the_same_every_time("miniblock-legacy", Some("testdata/miniblock-legacy"));
}

#[test]
fn the_order_of_a_database_does_not_matter() {
    for tree in ["miniblock", "miniblock-legacy"] {
        let text = std::fs::read_to_string(testdata().join(tree).join("compile_commands.json")).expect("a database");
        let mut entries: Vec<Value> = serde_json::from_str(&text).expect("JSON");
        let scratch = tempfile::tempdir().expect("a directory");
        let directory = testdata().join(tree).to_str().expect("UTF-8").to_owned();
        let mut first = None;
        for _ in 0..4 {
            entries.rotate_left(3);
            for entry in &mut entries {
                entry["directory"] = json!(directory);
            }
            let database = scratch.path().join("compile_commands.json");
            std::fs::write(&database, serde_json::to_string(&entries).expect("JSON")).expect("written");
            let mut command = Command::new(program());
            command.args(["check", "--format", "short", "--root", &directory, "-p"]).arg(&database);
            let out = run(command.current_dir(scratch.path())).is(1).stdout;
            assert_eq!(first.get_or_insert_with(|| out.clone()), &out, "{tree}");
        }
    }
}

#[test]
fn a_copy_of_a_tree_elsewhere_says_the_same() {
    for tree in ["miniblock", "miniblock-legacy"] {
        let scratch = tempfile::tempdir().expect("a directory");
        let copy = scratch.path().join("a copy");
        copy_directory(&testdata().join(tree), &copy);
        let here = run(Command::new(program()).args(["check"]).current_dir(testdata().join(tree))).is(1);
        let there = run(Command::new(program()).args(["check"]).current_dir(&copy)).is(1);
        assert_eq!(here.stdout, there.stdout, "{tree}");
    }
}

#[test]
fn a_database_of_gcc_gives_the_same_findings() {
    for tree in ["miniblock", "miniblock-legacy"] {
        let directory = testdata().join(tree);
        let findings = |database: &str| {
            let mut command = Command::new(program());
            command.args(["check", "--format", "json", "-p", database]).current_dir(&directory);
            run(&mut command).is(1).json()["findings"].clone()
        };
        assert_eq!(findings("compile_commands.json"), findings("compile_commands_gcc.json"), "{tree}");
    }
}

// --- the cache --------------------------------------------------------------------------------------------------

/// Runs `cowrap` with these variables and no others that tell where a cache is.
fn with_variables(variables: &[(&str, &Path)], arguments: &[&str]) -> Outcome {
    let mut command = Command::new(program());
    for name in ["HOME", "XDG_CACHE_HOME", "COWRAP_CACHE", "COWRAP_CACHE_SIZE"] {
        command.env_remove(name);
    }
    run(command.envs(variables.iter().copied()).args(arguments))
}

/// A directory with a cache that has one piece in it.
fn cache() -> TempDir {
    let scratch = tempfile::tempdir().expect("a directory");
    let cache = cowrap_base::cache::Cache::open(scratch.path(), 1 << 20).expect("it is empty");
    cache.put(cowrap_base::cache::EntryKind::FileFacts, cowrap_base::files::Digest::of(b"key"), vec![0; 2048]);
    cache.flush().expect("written");
    scratch
}

#[test]
fn the_cache_is_told() {
    let cache = cache();
    let directory = cache.path().to_str().expect("UTF-8");
    let out = with_variables(&[], &["cache", "info", "--cache-dir", directory, "--cache-size", "64M"]).is(0);
    let expected = format!(
        "directory: {directory}\nsize: 2.0 KiB of 64.0 MiB\nchanges of whole-tree results: 0 (0 B)\nfacts of files: 1 (2.0 KiB)\n\
         whole-tree results: 0 (0 B)\nprecompiled header checks: 0 (0 B)\nreports: 0 (0 B)\nprecompiled headers: 0 (0 B)\n"
    );
    assert_eq!(out.stdout, expected);
}

#[test]
fn a_cache_that_is_not_there_is_empty_and_is_not_made() {
    let scratch = tempfile::tempdir().expect("a directory");
    let directory = scratch.path().join("none");
    let variables = [("COWRAP_CACHE", directory.as_path())];
    with_variables(&variables, &["cache", "info"]).is(0).says("size: 0 B of 1.0 GiB");
    with_variables(&variables, &["cache", "clean"]).is(0).says("removed 0 files, 0 B");
    assert!(!directory.exists());
}

#[test]
fn the_environment_tells_where_the_cache_is() {
    let (one, other) = (cache(), tempfile::tempdir().expect("a directory"));
    let by_variable = [("COWRAP_CACHE", one.path()), ("HOME", other.path())];
    with_variables(&by_variable, &["cache", "info"]).is(0).says("facts of files: 1 ");
    let home = other.path().to_str().expect("UTF-8");
    with_variables(&[("HOME", other.path())], &["cache", "info"]).is(0).says(home).says("facts of files: 0 ");
    with_variables(&by_variable, &["cache", "info", "--cache-dir", home]).is(0).says("facts of files: 0 ");
    with_variables(&[], &["cache", "info"]).is(2).says("--cache-dir");
    with_variables(&[], &["cache", "clean"]).is(2).says("--cache-dir");
    // Without a place there is no cache, and that is no error.
    let clean = Tree::with(&[("clean.c", CLEAN)]);
    let build = clean.root().to_str().expect("UTF-8");
    with_variables(&[], &["check", "-p", build]).is(0);
}

#[test]
fn cleaning_removes_the_cache_alone() {
    let cache = cache();
    std::fs::write(cache.path().join("notes.txt"), "mine").expect("written");
    let variables = [("COWRAP_CACHE", cache.path())];
    with_variables(&variables, &["cache", "clean"])
        .is(0)
        .says("removed 2 files, 2.0 KiB")
        .says("files that are not cowrap's");
    assert_eq!(entries(cache.path()), [cache.path().join("CACHEDIR.TAG"), cache.path().join("notes.txt")]);
    std::fs::remove_file(cache.path().join("notes.txt")).expect("removed");
    let out = with_variables(&variables, &["cache", "clean"]).is(0);
    assert_eq!(out.stdout, "removed 0 files, 0 B\n");
    assert!(!cache.path().exists());
}

#[test]
fn a_directory_of_something_else_is_not_cleaned() {
    let tree = Tree::with(&[("clean.c", CLEAN)]);
    let before = tree.everything();
    for action in ["clean", "info"] {
        tree.cowrap(&["cache", action, "--cache-dir", "."]).is(2).says("is not a cache of cowrap");
    }
    tree.cowrap(&["cache", "clean", "--cache-dir", "clean.c"]).is(2).says("cannot read the cache");
    assert_eq!(tree.everything(), before);
}

#[test]
fn a_cache_size_that_is_none_is_status_2() {
    let tree = Tree::with(&[("clean.c", CLEAN)]);
    for size in ["much", "0", "1.5G", "1T", ""] {
        tree.check(&["--cache-size", size]).is(2).says("--cache-size");
    }
    let build = tree.root().to_str().expect("UTF-8");
    let variables = [("COWRAP_CACHE_SIZE", Path::new("much"))];
    with_variables(&variables, &["check", "-p", build]).is(2).says("COWRAP_CACHE_SIZE: `much` is not a size");
    with_variables(&variables, &["check", "-p", build, "--no-cache"]).is(0);
    tree.check(&["--no-cache", "--cache-dir", "x"]).is(2).says("--no-cache");
}

// --- libclang ---------------------------------------------------------------------------------------------------

#[test]
fn without_libclang_the_message_names_what_to_install() {
    let tree = Tree::with(&[("clean.c", CLEAN)]);
    tree.write("empty/readme", "");
    for given in ["empty", "nowhere", "empty/libclang.so"] {
        let mut command = tree.command(&[]);
        let out = run(command.env("LIBCLANG_PATH", tree.path(given))).is(2);
        assert!(out.stderr.contains("libclang") && out.stderr.contains("install"), "{given}: {out:?}");
        assert!(out.stderr.contains("LIBCLANG_PATH"), "{given}: {out:?}");
    }
}

#[test]
fn a_libclang_that_cannot_be_used_is_told_with_the_reason() {
    let tree = Tree::with(&[("clean.c", CLEAN)]);
    tree.write("lib/libclang.so", "this is no library\n");
    for given in ["lib", "lib/libclang.so"] {
        let mut command = tree.command(&[]);
        let out = run(command.env("LIBCLANG_PATH", tree.path(given))).is(2);
        assert!(out.stderr.contains("lib/libclang.so") && out.stderr.contains("install"), "{given}: {out:?}");
    }
}

#[test]
fn an_old_libclang_is_refused_by_its_version() {
    let old = Path::new("/usr/lib/llvm-14/lib");
    let there = std::fs::read_dir(old).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("libclang.so") || name.starts_with("libclang-14.so")
        })
    });
    if !there {
        eprintln!("skipped: no libclang 14 in {}", old.display());
        return;
    }
    let mut command = Tree::with(&[("clean.c", CLEAN)]).command(&[]);
    run(command.env("LIBCLANG_PATH", old)).is(2).says("older than").says("17").says("install");
}

/// The directories of the two libclangs that must agree; `None`, with a message, where they are not both there.
pub fn two_libclangs() -> Option<[&'static str; 2]> {
    let directories = ["/usr/lib/llvm-19/lib", "/usr/lib/llvm-22/lib"];
    let has_library = |directory: &&str| {
        std::fs::read_dir(directory).is_ok_and(|entries| {
            entries.flatten().any(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name.starts_with("libclang.so") || name.starts_with("libclang-")) && !name.contains("-cpp")
            })
        })
    };
    let missing: Vec<&str> = directories.into_iter().filter(|directory| !has_library(directory)).collect();
    if missing.is_empty() {
        return Some(directories);
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs both libclang 19 and 22; there is none in {missing:?}");
    eprintln!("SKIPPED: libclang 19 and 22 are not compared, since there is none in {missing:?}");
    None
}

/// What one run says, without what names the libclang.
fn with_libclang(libclang: &str, directory: &Path, arguments: &[OsString]) -> Value {
    let mut command = Command::new(program());
    command
        .arg("check")
        .args(["--format", "json"])
        .args(arguments)
        .current_dir(directory)
        .env("LIBCLANG_PATH", libclang);
    let out = run(&mut command);
    assert!(matches!(out.status, Some(0 | 1)), "{libclang}, {arguments:?}: {out:?}");
    out.json()
}

#[test]
fn both_libclangs_find_the_same_in_the_small_trees() {
    let Some([old, new]) = two_libclangs() else { return };
    for tree in ["miniblock", "miniblock-legacy"] {
        for database in ["compile_commands.json", "compile_commands_gcc.json"] {
            let arguments = ["-p".into(), database.into()];
            let directory = testdata().join(tree);
            let (old, new) = (with_libclang(old, &directory, &arguments), with_libclang(new, &directory, &arguments));
            assert!(!old["findings"].as_array().expect("a list").is_empty(), "{tree}");
            assert_eq!(old, new, "{tree}, {database}");
        }
    }
}

#[test]
fn both_libclangs_find_the_same_in_every_fixture() {
    let Some([old, new]) = two_libclangs() else { return };
    let mut cases: Vec<Vec<PathBuf>> = Vec::new();
    let rules = entries(&testdata().join("rules"));
    for directory in [testdata().join("guards"), testdata().join("pointers")].iter().chain(&rules) {
        for case in entries(directory) {
            cases.push(if case.is_dir() { entries(&case) } else { vec![case] });
        }
    }
    let mut different = Vec::new();
    for case in cases {
        let files = case.iter().filter(|file| file.extension().is_some_and(|end| end == "c"));
        let mut arguments: Vec<OsString> = files.map(|file| file.clone().into_os_string()).collect();
        if arguments.is_empty() {
            continue;
        }
        arguments.extend(["--root", ".", "--", "-Iinclude", "-O2"].map(OsString::from));
        arguments.extend(own_flags(&case));
        let (old, new) = (with_libclang(old, &testdata(), &arguments), with_libclang(new, &testdata(), &arguments));
        if old != new {
            different.push(format!("{arguments:?}\n--- {old:#}\n+++ {new:#}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

// --- helpers ----------------------------------------------------------------------------------------------------

/// A tree of C files that is gone at the end of the test.
struct Tree {
    _scratch: TempDir,
    root: PathBuf,
}

impl Tree {
    /// A tree with the header of the marks, these files, and an entry of the database for each of them.
    fn with(files: &[(&str, &str)]) -> Tree {
        let tree = Tree::below("tree");
        for (name, text) in files {
            tree.write(name, text);
        }
        tree.database(&files.iter().map(|(name, _)| entry(name)).collect::<Vec<_>>());
        tree
    }

    /// A tree in a directory of this name, with the header of the marks.
    fn below(name: impl AsRef<Path>) -> Tree {
        let scratch = tempfile::tempdir().expect("a directory");
        let root = scratch.path().canonicalize().expect("it is there").join(name);
        let tree = Tree { _scratch: scratch, root };
        tree.write("include/co.h", MARKS);
        tree
    }

    fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
        std::fs::write(path, text).expect("written");
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).expect("removed");
    }

    fn make_executable(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o755)).expect("executable");
    }

    fn database(&self, entries: &[Value]) {
        self.write("compile_commands.json", &serde_json::to_string_pretty(entries).expect("JSON"));
    }

    /// Puts the database into a directory, with the tree as the directory of its entries.
    fn move_database(&self, directory: &str) {
        let text = std::fs::read_to_string(self.path("compile_commands.json")).expect("a database");
        let mut entries: Vec<Value> = serde_json::from_str(&text).expect("JSON");
        for entry in &mut entries {
            entry["directory"] = json!(self.root.to_str().expect("UTF-8"));
        }
        self.remove("compile_commands.json");
        let text = serde_json::to_string(&entries).expect("JSON");
        self.write(&format!("{directory}/compile_commands.json"), &text);
    }

    fn copy_database(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(from).join("compile_commands.json")).expect("a database");
        self.write(&format!("{to}/compile_commands.json"), &text);
    }

    /// Every file of the tree, with the size of all but the database.
    fn everything(&self) -> BTreeSet<(PathBuf, u64)> {
        let mut found = BTreeSet::new();
        let mut directories = vec![self.root.clone()];
        while let Some(directory) = directories.pop() {
            for path in entries(&directory) {
                let size = path.metadata().expect("it is there").len();
                if path.is_dir() {
                    directories.push(path);
                } else if !path.ends_with("compile_commands.json") {
                    found.insert((path, size));
                }
            }
        }
        found
    }

    /// `cowrap check` in the tree.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.arg("check").args(arguments).current_dir(&self.root);
        command
    }

    fn check(&self, arguments: &[&str]) -> Outcome {
        run(&mut self.command(arguments))
    }

    /// Runs another subcommand.
    fn cowrap(&self, arguments: &[&str]) -> Outcome {
        run(Command::new(program()).current_dir(&self.root).args(arguments))
    }
}

/// What a run left behind.
#[derive(Debug)]
struct Outcome {
    status: Option<i32>,
    stdout: String,
    stderr: String,
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

    fn prints_no_control_characters(self) -> Outcome {
        for text in [&self.stdout, &self.stderr] {
            let control = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(control, None, "{text:?}");
        }
        self
    }

    /// The findings of the short format.
    fn findings(&self) -> Vec<&str> {
        self.stdout.lines().filter(|line| line.ends_with(']') && !line.starts_with("cowrap: ")).collect()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_cowrap"))
}

fn run(command: &mut Command) -> Outcome {
    let out = command.timeout(std::time::Duration::from_secs(120)).output().expect("started");
    let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    Outcome { status: out.status.code(), stdout: String::from_utf8_lossy(&out.stdout).into_owned(), stderr }
}

/// The entry of the database for a file of [`Tree::with`].
fn entry(file: &str) -> Value {
    json!({"directory": ".", "file": file, "arguments": ["cc", "-Iinclude", "-c", file, "-o", "out.o"]})
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn without_colour(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').expect("the end of a colour").1;
    }
    plain + rest
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for path in entries(from) {
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_directory(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}

// --- what the program tells of itself ---------------------------------------------------------------------------

/// Runs the program without a tree.
fn tell(arguments: &[&str]) -> Outcome {
    let scratch = tempfile::tempdir().unwrap();
    run(Command::new(program()).current_dir(scratch.path()).args(arguments))
}

#[test]
fn every_rule_is_listed_and_explained() {
    let listed = tell(&["rules"]).is(0).stdout;
    let rules = fixtures::rule_infos();
    for rule in rules {
        let line = listed.lines().find(|line| line.starts_with(&format!("{} ", rule.name))).unwrap();
        assert!(line.ends_with(&rule.summary), "{line}");
        assert_eq!(tell(&["explain", &rule.name]).is(0).stdout, rule.page);
    }
    assert_eq!(listed.lines().count(), rules.len());
    for (rule, level, fix) in [
        ("coroutine-call", "error", "fix"),
        ("suspect-mark", "warning", "unsafe fix"),
        ("eligible-mark", "opt-in", "fix"),
        ("blocking-call", "error", "-"),
    ] {
        let line = listed.lines().find(|line| line.starts_with(&format!("{rule} "))).unwrap();
        let words: Vec<&str> = line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
        assert_eq!(words[..3], [rule, level, fix]);
    }
}

#[test]
fn a_rule_that_is_not_there_is_guessed() {
    let out = tell(&["explain", "corutine-call"]).is(2);
    assert!(out.stderr.contains("unknown rule `corutine-call`; did you mean `coroutine-call`?"), "{out:?}");
    assert!(tell(&["explain", "zzz"]).is(2).stderr.contains("`cowrap rules` lists all rules"));
}

#[test]
fn shells_and_man_get_their_files() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = tell(&["completions", shell]).is(0).stdout;
        assert!(text.contains("cowrap") && text.contains("diff-base"), "{shell}");
    }
    let page = tell(&["man"]).is(0).stdout;
    assert!(page.contains(".TH cowrap 1") && page.contains("cowrap\\-check(1)"), "{page}");
    let scratch = tempfile::tempdir().unwrap();
    let directory = scratch.path().join("man1");
    tell(&["man", "--output", directory.to_str().unwrap()]).is(0);
    let page = std::fs::read_to_string(directory.join("cowrap-check.1")).unwrap();
    assert!(page.contains("diff\\-base"), "{page}");
}
