//! What is generated, compiled and run.
//!
//! `testdata/generate/dialects/` has a tree for each dialect: the headers, the expected output, and a program that
//! calls every wrapper from both contexts and compares arguments, results, contexts and the order of locks with what
//! should happen. `runtime/` holds the coroutines that they run on. `faults/` has what QEMU's own script gets wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

const DIALECTS: &[&str] = &["5.2", "6.2", "8.0", "8.1", "8.2", "9.0", "qemu-next"];

fn generate_data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/generate")
}

fn dialect(name: &str) -> PathBuf {
    generate_data().join("dialects").join(name)
}

/// Clang where there is one: it is what QEMU's marks are made for.
fn compiler() -> &'static str {
    let works = |name: &&&str| Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success());
    ["clang", "clang-22", "clang-19"].iter().find(works).copied().unwrap_or("cc")
}

fn cowrap(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
    command.current_dir(directory).arg("generate").args(arguments).output().expect("cowrap runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Generates from `block/coroutines.h` in a dialect's tree.
fn generate(name: &str) -> String {
    let pack: &[&str] = if name == "qemu-next" { &["--pack", "qemu-next"] } else { &[] };
    let out = cowrap(&dialect(name), &[pack, &["-", "block/coroutines.h"]].concat());
    assert!(out.status.success(), "{name}: {}", text(&out.stderr));
    text(&out.stdout)
}

/// Compiles a generated text with a dialect's headers and the sources named, into a program.
fn compile(name: &str, generated: &str, flags: &[&str], scratch: &Path) -> Output {
    let source = scratch.join("generated.c");
    std::fs::write(&source, generated).expect("a scratch file");
    let (tree, runtime) = (dialect(name), generate_data().join("runtime"));
    Command::new(compiler())
        .args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror"])
        .args([Path::new("-I"), &tree.join("include"), Path::new("-I"), &tree, Path::new("-I"), &runtime])
        .args([Path::new("-I"), &runtime.join("include")])
        .args(flags)
        .arg(&source)
        .arg("-o")
        .arg(scratch.join("program"))
        .output()
        .expect("a C compiler")
}

/// Compiles and runs a dialect's program with a generated text: what went wrong, if something did.
fn run(name: &str, generated: &str, flags: &[&str]) -> Result<(), String> {
    let scratch = TempDir::new().expect("a scratch directory");
    let (main, runtime) = (dialect(name).join("main.c"), generate_data().join("runtime/runtime.c"));
    let sources = [main.to_str().expect("UTF-8"), runtime.to_str().expect("UTF-8")];
    let out = compile(name, generated, &[flags, &sources].concat(), scratch.path());
    if !out.status.success() {
        return Err(format!("compiler: {}", text(&out.stderr)));
    }
    let out = Command::new(scratch.path().join("program")).output().expect("the program runs");
    if out.status.success() { Ok(()) } else { Err(text(&out.stdout)) }
}

#[test]
fn every_dialect_does_what_it_should() {
    for name in DIALECTS {
        let generated = generate(name);
        let expected = std::fs::read_to_string(dialect(name).join("block/block-gen.c")).unwrap();
        assert_eq!(generated, expected, "{name}");
        run(name, &generated, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn every_dialect_is_told_by_its_tree() {
    for name in DIALECTS.iter().filter(|name| **name != "qemu-next") {
        let given = cowrap(&dialect(name), &["--dialect", name, "-", "block/coroutines.h"]);
        assert_eq!(text(&given.stdout), generate(name), "{name}");
    }
}

/// The programs notice whatever is wrong with a wrapper.
#[test]
fn the_programs_can_fail() {
    for (name, from, to) in [
        ("5.2", "    aio_wait_kick();\n", ""),
        ("5.2", ".poll_state.bs = child->bs,", ".poll_state.bs = NULL,"),
        ("5.2", "s->poll_state.ret = bdrv_co_read", "bdrv_co_read"),
        ("5.2", "s->ret = bdrv_co_name(s->child)", "s->ret = \"\""),
        ("6.2", "return blk_co_discard(blk, bytes);", "return blk_co_discard(blk, bytes + 1);"),
        ("8.0", "bdrv_get_aio_context(bs)", "qemu_get_aio_context()"),
        ("8.0", "blk_get_aio_context(blk)", "qemu_get_aio_context()"),
        ("8.1", "    aio_context_acquire(ctx);\n", ""),
        ("8.1", "bdrv_get_aio_context(s->parent)", "qemu_get_aio_context()"),
        (
            "8.2",
            "    bdrv_graph_wrlock(NULL);\n    aio_context_acquire(ctx);\n",
            "    aio_context_acquire(ctx);\n    bdrv_graph_wrlock(NULL);\n",
        ),
        ("9.0", "qemu_get_current_aio_context()", "qemu_get_aio_context()"),
        ("9.0", "    bdrv_graph_co_rdlock();\n", ""),
        ("9.0", "        assume_graph_lock();\n", ""),
        ("9.0", "bdrv_reopen(s->level, s->speed)", "bdrv_reopen(s->speed, s->level)"),
        ("9.0", ".flags = flags", ".flags = 0"),
        ("9.0", "    s->ret = bdrv_attach", "    bdrv_attach"),
        ("9.0", "    s->poll_state.in_progress = false;\n", ""),
        ("9.0", "    aio_co_wake(s->co);\n", ""),
        ("9.0", "if (qemu_in_coroutine())", "if (!qemu_in_coroutine())"),
        ("qemu-next", "if (!qemu_in_coroutine())", "if (0)"),
        ("qemu-next", "iohandler_get_aio_context()", "qemu_get_aio_context()"),
        ("qemu-next", "        bdrv_graph_rdunlock_main_loop();\n", ""),
    ] {
        let generated = generate(name);
        assert!(generated.contains(from), "{name}: there is no {from:?}");
        // Without warnings: it is the program that has to notice.
        match run(name, &generated.replacen(from, to, 1), &["-w"]) {
            Ok(()) => panic!("{name}: nobody noticed {from:?} to {to:?}"),
            Err(error) => assert!(!error.starts_with("compiler: "), "{name}: {from:?} to {to:?} is no C: {error}"),
        }
    }
}

/// What QEMU's script passes over or gets wrong is generated, and compiles with its declarations.
#[test]
fn the_faults_of_the_script_are_none_here() {
    let faults = generate_data().join("faults");
    let out = cowrap(&faults, &["--dialect", "9.0", "--include", "handled.h", "-", "handled.h"]);
    assert!(out.status.success() && out.stderr.is_empty(), "{}", text(&out.stderr));
    let generated = text(&out.stdout);
    let header = std::fs::read_to_string(faults.join("handled.h")).unwrap();
    // Every target has its wrapper: `a_co_x` for `a_x`, or `a_x` for `a_co_x`.
    let names = header.match_indices("a_co_").map(|(at, _)| (at, word_at(&header, at)));
    let functions = names.filter(|(at, name)| header[at + name.len()..].trim_start().starts_with('('));
    let targets: Vec<&str> = functions.map(|(_, name)| name).collect();
    assert!(targets.len() > 30);
    for target in targets {
        let wrapper = target.replacen("a_co_", "a_", 1);
        let wraps = |wrapper: &str, target: &str| {
            generated.contains(&format!("/* {wrapper}() ")) && generated.contains(&format!(" {target}()"))
        };
        assert!(wraps(&wrapper, target) || wraps(target, &wrapper), "{target}");
    }
    for never in ["a_in_comment", "a_in_line_comment", "a_never", "a_in_macro"] {
        assert!(!generated.contains(never), "{never}");
    }
    assert_eq!(generated.matches("int a_twice(").count(), 1);
    let scratch = TempDir::new().unwrap();
    let include = format!("-I{}", faults.display());
    let out = compile("9.0", &generated, &["-c", &include, "-Wno-ignored-qualifiers"], scratch.path());
    assert!(out.status.success(), "{}", text(&out.stderr));
    let branch = "#if !defined(CONFIG_ABSENT) && (defined(CONFIG_ALSO_ABSENT) && CONFIG_ALSO_ABSENT > 2)\n";
    assert!(generated.contains("#ifdef CONFIG_ABSENT\n") && generated.contains(branch), "{generated}");
}

fn word_at(text: &str, at: usize) -> &str {
    let end = text[at..].find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len() - at);
    &text[at..at + end]
}

/// What cannot be wrapped is refused on its line, and nothing is written.
#[test]
fn what_cannot_be_wrapped_is_refused_on_its_line() {
    let refused = generate_data().join("faults/refused");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&refused).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20);
    for file in files {
        let header = std::fs::read_to_string(&file).unwrap();
        let (line, message) = header
            .lines()
            .enumerate()
            .find_map(|(number, line)| Some((number + 1, line.split("/* refused: ").nth(1)?)))
            .unwrap_or_else(|| panic!("{}: expects nothing", file.display()));
        let message = message.trim_end().trim_end_matches("*/").trim_end();
        let name = file.file_name().unwrap().to_str().unwrap();
        let out = cowrap(&refused, &["--dialect", "9.0", "-", name]);
        let told = text(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{name}: {told}");
        assert!(out.stdout.is_empty(), "{name}");
        assert!(told.starts_with("error: ") && told.contains(message), "{name}: {told}");
        assert!(told.contains(&format!("{name}:{line}:")), "{name} should be refused in line {line}: {told}");
        assert_eq!(told.matches("error: ").count(), 1, "{name}: {told}");
    }
}

// --- any declaration --------------------------------------------------------------------------------------------

/// A declaration: a return type, parameters, and the words in between.
#[derive(Clone, Debug)]
struct Declaration {
    returns: &'static str,
    mark: &'static str,
    extra: [&'static str; 3],
    parameters: Vec<(&'static str, &'static str)>,
}

const RETURNS: &[&str] = &[
    "void",
    "int",
    "unsigned int",
    "const char *",
    "struct pair",
    "struct pair **",
    "uint64_t",
    "bool",
    "PairRef",
    "long long",
    "unsigned long long int",
    "void *const *",
    "enum colour",
    "volatile int *",
];
const MARKS: &[&str] = &["co_wrapper", "co_wrapper_mixed", "co_wrapper_bdrv_rdlock", "co_wrapper_mixed_bdrv_rdlock"];
const EXTRAS: &[&str] =
    &["", "", "/* , ) */", "\\\n", "\n", "__attribute__((unused))", "GRAPH_RDLOCK", "// x\n", "extern"];
const PARAMETERS: &[(&str, &str)] = &[
    ("int ", ""),
    ("const char *", ""),
    ("struct pair ", ""),
    ("uint8_t ", "[16]"),
    ("char *", "[]"),
    ("int ", "[3][4]"),
    ("void (*", ")(void *, int)"),
    ("int ", "(int, const char *)"),
    ("const unsigned ", ""),
    ("char *const ", ""),
    ("PairRef ", ""),
    ("BlockDriverState *", ""),
    ("enum colour ", ""),
    ("int (*", ")[4]"),
    ("unsigned long ", "[static 2]"),
    ("CompletionFunc *", ""),
    ("bool ", ""),
    ("struct pair **", ""),
    ("int *restrict ", ""),
    ("register int ", ""),
];
const NAMES: &[&str] =
    &["x", "bs", "s", "co", "ret", "opaque", "poll_state", "offset", "qemu_in_coroutine", "_y", "camelCase", "ctx"];

fn declaration() -> impl Strategy<Value = Declaration> {
    let extra = || prop::sample::select(EXTRAS);
    let parameters = prop::collection::vec(prop::sample::select(PARAMETERS), 0..6);
    (prop::sample::select(RETURNS), prop::sample::select(MARKS), [extra(), extra(), extra()], parameters)
        .prop_map(|(returns, mark, extra, parameters)| Declaration { returns, mark, extra, parameters })
}

impl Declaration {
    /// The target's prototype and the marked declaration.
    fn text(&self, number: usize) -> String {
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .enumerate()
            .map(|(position, (before, after))| format!("{before}{}{after}", NAMES[(number + position) % NAMES.len()]))
            .collect();
        let list = if parameters.is_empty() { "void".to_owned() } else { parameters.join(", ") };
        let Declaration { returns, mark, extra: [first, second, third], .. } = self;
        // `extern` and attributes may not stand everywhere.
        let before_name = if *third == "extern" { "" } else { third };
        format!(
            "{returns} f_co_{number}({list});\n{first} {returns} {second} {mark} {before_name} f_{number}({list});\n",
            second = if *second == "extern" { "" } else { second },
        )
    }
}

/// Random declarations are read, and the compiler finds each generated definition to agree with its declaration.
#[test]
fn any_declaration_is_generated_as_it_is_declared() {
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let many = prop::collection::vec(declaration(), 60);
    let result = runner.run(&many, |declarations| {
        let scratch = TempDir::new().expect("a scratch directory");
        let mut header = String::from(
            "struct pair { int a; };\ntypedef struct pair *PairRef;\nenum colour { RED };\n\
             typedef void CompletionFunc(void *, int);\n#define co_wrapper\n#define co_wrapper_mixed\n\
             #define co_wrapper_bdrv_rdlock\n#define co_wrapper_mixed_bdrv_rdlock\n#include \"block/graph-lock.h\"\n",
        );
        for (number, declaration) in declarations.iter().enumerate() {
            header.push_str(&declaration.text(number));
        }
        std::fs::write(scratch.path().join("random.h"), &header).expect("a scratch file");
        let out = cowrap(scratch.path(), &["--dialect", "9.0", "--include", "random.h", "-", "random.h"]);
        prop_assert!(out.status.success(), "{}\n{header}", text(&out.stderr));
        let include = format!("-I{}", scratch.path().display());
        let allowed = ["-Wno-ignored-qualifiers", "-Wno-unused-parameter", "-Wno-array-parameter"];
        let out = compile("9.0", &text(&out.stdout), &[&["-c", &include][..], &allowed].concat(), scratch.path());
        prop_assert!(out.status.success(), "{}", text(&out.stderr));
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
