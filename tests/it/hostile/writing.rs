//! Nothing is written outside, and nothing is lost.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A finding, in a file whose name would do something in a shell.
const SOURCE: &str = "void coroutine_fn co(void);\nvoid f(void);\nvoid f(void)\n{\n    co();\n}\n";

/// A header with a wrapper.
const HEADER: &str = "int co_wrapper bdrv_sync(int x);\nint coroutine_fn bdrv_co_sync(int x);\n";

/// A tree beside directories that are not its own.
struct Tree {
    scratch: TempDir,
}

impl Tree {
    /// A tree of one unit, with a build directory that knows it.
    fn new() -> Tree {
        let tree = Tree { scratch: TempDir::new().unwrap() };
        tree.write("tree/include/qemu/osdep.h", "#define coroutine_fn\n#define co_wrapper\n");
        tree.write("tree/VERSION", "9.0.0\n");
        tree.write("tree/include/io.h", HEADER);
        tree.write("tree/a.c", &format!("#include \"qemu/osdep.h\"\n{SOURCE}"));
        tree.database("tree/build");
        tree.write("outside/file", "theirs");
        tree.write("outside/empty", "");
        std::fs::create_dir_all(tree.path("tree/.git/hooks")).unwrap();
        tree
    }

    /// Writes a database into a directory.
    fn database(&self, build: &str) {
        let root = self.path("tree").canonicalize().unwrap();
        let arguments = ["cc", "-Iinclude", "-c", "a.c"];
        let entry = serde_json::json!([{ "directory": root, "file": "a.c", "arguments": arguments }]);
        self.write(&format!("{build}/compile_commands.json"), &entry.to_string());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8(std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    fn link(&self, to: &str, name: &str) {
        symlink(to, self.path(name)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.current_dir(self.path("tree")).env("COWRAP_CACHE", "").args(arguments);
        command
    }

    /// Runs cowrap in the tree. Nothing outside may change.
    fn run(&self, arguments: &[&str]) -> Run {
        let before = everything(&self.path("outside"));
        let run = Run::of(self.command(arguments).output().unwrap());
        assert_eq!(everything(&self.path("outside")), before, "{arguments:?}: {run:?}");
        run
    }
}

/// The files below a directory, with their bytes.
fn everything(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files.extend(everything(&entry.path())),
            kind if kind.is_file() => files.push((entry.path(), std::fs::read(entry.path()).unwrap())),
            _ => files.push((entry.path(), Vec::new())),
        }
    }
    files.sort();
    files
}

/// What a run printed, and how it ended.
#[derive(Debug)]
struct Run {
    status: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn of(output: Output) -> Run {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let run = Run { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert!(!run.err.contains("panicked") && !run.err.contains("internal error"), "{run:?}");
        run
    }

    fn is(self, status: i32) -> Run {
        assert_eq!(self.status, Some(status), "{self:?}");
        self
    }

    fn says(self, text: &str) -> Run {
        assert!(self.err.contains(text) || self.out.contains(text), "not `{text}`: {self:?}");
        self
    }
}

// --- what the tree names ----------------------------------------------------------------------------------------

#[test]
fn a_baseline_that_the_tree_names_stays_inside() {
    let tree = Tree::new();
    tree.link("../outside", "tree/out");
    tree.link("../outside/empty", "tree/link.json");
    tree.link(".git", "tree/git");
    let absolute = tree.path("outside/new").display().to_string();
    for (path, says) in [
        ("../outside/new", "outside of the tree"),
        ("../outside/empty", "outside of the tree"),
        ("include/../../outside/new", "outside of the tree"),
        ("out/new", "outside of the tree"),
        (&absolute, "outside of the tree"),
        ("link.json", "a symbolic link"),
        (".git/hooks/pre-commit", "git's own directory"),
        ("git/config", "git's own directory"),
        ("include", "a directory"),
    ] {
        tree.write("tree/cowrap.toml", &format!("baseline = {path:?}\n"));
        tree.run(&["baseline", "-p", "build"]).is(2).says(says).says("name it with --output");
    }
    assert!(tree.path("tree/link.json").symlink_metadata().unwrap().is_symlink());
    assert!(!tree.path("tree/.git/config").exists() && !tree.path("tree/.git/hooks/pre-commit").exists());
    tree.write("tree/cowrap.toml", "baseline = \"a.c\"\n");
    tree.run(&["baseline", "-p", "build"]).is(2).says("is not a baseline");
    // The same without settings.
    tree.write("tree/cowrap.toml", "");
    tree.link("../outside/empty", "tree/.cowrap-baseline.json");
    tree.run(&["baseline", "-p", "build"]).is(2).says("a symbolic link");
}

#[test]
fn a_baseline_inside_is_written_and_the_command_line_may_name_any() {
    let tree = Tree::new();
    std::fs::create_dir(tree.path("tree/ci")).unwrap();
    tree.link("ci", "tree/linked");
    for path in ["known.json", "ci/known.json", "./ci/../ci/other.json", "linked/third.json", "ci/known.json"] {
        tree.write("tree/cowrap.toml", &format!("baseline = {path:?}\n"));
        tree.run(&["baseline", "-p", "build"]).is(0);
        assert!(tree.read("tree/ci/../known.json").contains("fingerprint"));
        tree.run(&["check", "-p", "build"]).is(0);
    }
    assert!(tree.path("tree/ci/third.json").exists());
    // An empty file may be there.
    tree.write("tree/empty.json", "");
    tree.write("tree/cowrap.toml", "baseline = \"empty.json\"\n");
    tree.run(&["baseline", "-p", "build"]).is(0);
    tree.write("tree/cowrap.toml", "baseline = \"../outside/new\"\n");
    let out = Run::of(tree.command(&["baseline", "-p", "build", "-o", "../outside/new"]).output().unwrap());
    out.is(0);
    assert!(tree.read("outside/new").contains("fingerprint"));
}

#[test]
fn outputs_of_the_generator_that_the_tree_names_stay_inside() {
    let tree = Tree::new();
    tree.link("../outside", "tree/out");
    tree.link("../outside/empty", "tree/link.c");
    let configure = |path: &str| {
        tree.write("tree/cowrap.toml", &format!("[[generator]]\ninputs = [\"include/io.h\"]\noutput = {path:?}\n"));
    };
    let absolute = tree.path("outside/new").display().to_string();
    for path in ["../outside/new", "../outside/file", "out/new", "out/empty", "link.c", &absolute] {
        configure(path);
        for arguments in [&["generate", "--all"][..], &["generate", "--all", "--check"]] {
            let run = tree.run(arguments).is(2).says("will not be written").says("on the command line");
            assert!(!run.out.contains("theirs"), "{run:?}");
        }
    }
    // By the directory of the build, in the same way.
    std::fs::remove_file(tree.path("tree/cowrap.toml")).unwrap();
    for output in [tree.path("outside/new"), tree.path("tree/out/new"), tree.path("tree/link.c")] {
        introspection(&tree, "tree/build", &output);
        tree.run(&["generate", "--all", "-p", "build"]).is(2).says("will not be written");
    }
}

/// Writes meson's introspection data for one output.
fn introspection(tree: &Tree, build: &str, output: &Path) {
    let source = serde_json::json!({
        "compiler": ["block-coroutine-wrapper.py", "@OUTPUT@", "@INPUT@"],
        "sources": [tree.path("tree/include/io.h")],
    });
    let target = serde_json::json!([{ "filename": [output], "target_sources": [source] }]);
    tree.write(&format!("{build}/meson-info/intro-targets.json"), &target.to_string());
}

#[test]
fn outputs_of_the_generator_inside_are_written() {
    let tree = Tree::new();
    for path in ["gen.c", "build/gen.c", "include/gen.c"] {
        tree.write("tree/cowrap.toml", &format!("[[generator]]\ninputs = [\"include/io.h\"]\noutput = {path:?}\n"));
        tree.run(&["generate", "--all"]).is(0);
        assert!(tree.read(&format!("tree/{path}")).contains("bdrv_sync"));
        tree.run(&["generate", "--all", "--check"]).is(0);
    }
    // A build directory elsewhere: the command line names it, or meson knows that it is the tree's.
    std::fs::create_dir(tree.path("build")).unwrap();
    tree.write("tree/cowrap.toml", "[[generator]]\ninputs = [\"include/io.h\"]\noutput = \"../build/gen.c\"\n");
    tree.run(&["generate", "--all"]).is(2).says("will not be written");
    tree.run(&["generate", "--all", "-p", "../build"]).is(0);
    std::fs::remove_file(tree.path("build/gen.c")).unwrap();
    let directories = serde_json::json!({ "directories": { "source": tree.path("tree") } });
    tree.write("build/meson-info/meson-info.json", &directories.to_string());
    tree.write(
        "tree/cowrap.toml",
        "build = \"../build\"\n[[generator]]\ninputs = [\"include/io.h\"]\noutput = \"../build/gen.c\"\n",
    );
    tree.run(&["generate", "--all"]).is(0);
    assert!(tree.read("build/gen.c").contains("bdrv_sync"));
    std::fs::remove_file(tree.path("tree/cowrap.toml")).unwrap();
    introspection(&tree, "build", &tree.path("build/block-gen.c"));
    tree.run(&["generate", "--all", "-p", "../build"]).is(0);
    assert!(tree.read("build/block-gen.c").contains("bdrv_sync"));
}

#[test]
fn only_what_a_generator_wrote_is_overwritten() {
    let tree = Tree::new();
    for (name, text) in [
        ("a.c", "/* The list of functions is generated at run time */\nint a;\n"),
        ("b.c", "int a; /* Generated by cowrap */\n"),
        ("c.c", "/*\n * Copyright of somebody\n * Generated by cowrap\n */\n"),
        ("d.c", "/* Generated by another program */\n"),
    ] {
        tree.write(&format!("tree/gen/{name}"), text);
        let output = format!("gen/{name}");
        tree.run(&["generate", &output, "include/io.h"]).is(2).says("is not a generated file");
        tree.write("tree/cowrap.toml", &format!("[[generator]]\ninputs = [\"include/io.h\"]\noutput = {output:?}\n"));
        tree.run(&["generate", "--all"]).is(2).says("is not a generated file");
        assert_eq!(tree.read(&format!("tree/gen/{name}")), text);
    }
    for text in [
        "/*\n * File is generated by scripts/block-coroutine-wrapper.py\n *\n * Copyright (c) 2020\n */\nint old;\n",
        "/*\n * Generated by cowrap from the declarations\n */\nint old;\n",
        " \n",
    ] {
        tree.write("tree/gen/old.c", text);
        tree.run(&["generate", "gen/old.c", "include/io.h"]).is(0);
        assert!(tree.read("tree/gen/old.c").contains("bdrv_sync"));
    }
}

// --- what the command line names --------------------------------------------------------------------------------

#[test]
fn a_link_at_an_output_is_replaced_and_not_followed() {
    let tree = Tree::new();
    let plant = |name: &str| {
        let _ = std::fs::remove_file(tree.path(&format!("tree/{name}")));
        tree.link("../outside/file", &format!("tree/{name}"));
    };
    for (status, name, arguments) in [
        (1, "report", &["check", "-p", "build", "--output", "sarif=report"][..]),
        (0, "index", &["index", "-p", "build", "-o", "index"]),
        (0, "facts", &["index", "-p", "build", "--shard", "1/1", "-o", "facts"]),
        (0, "linked", &["link", "-o", "linked", "facts"]),
        (0, "known", &["baseline", "-p", "build", "-o", "known"]),
        (0, "gen.c", &["generate", "gen.c", "include/io.h"]),
        (0, "gen.d", &["generate", "--depfile", "gen.d", "gen.c", "include/io.h"]),
        (0, "tree.ninja", &["index", "-p", "build", "--emit-ninja", "tree.ninja"]),
        (0, "pack.toml", &["pack", "new", "--force", "-o", "pack.toml", "--inside", "in", "--outside", "out"]),
    ] {
        plant(name);
        tree.run(arguments).is(status);
        assert!(tree.path(&format!("tree/{name}")).symlink_metadata().unwrap().is_file(), "{name}");
    }
    std::fs::create_dir(tree.path("tree/man")).unwrap();
    plant("man/cowrap-check.1");
    tree.run(&["man", "-o", "man"]).is(0);
    assert!(tree.path("tree/man/cowrap-check.1").symlink_metadata().unwrap().is_file());
}

#[test]
fn no_output_overwrites_what_is_read() {
    let tree = Tree::new();
    tree.write("tree/cowrap.toml", "packs = [\"ci/pack.toml\"]\n");
    tree.write("tree/ci/pack.toml", "name = \"ci\"\nextends = \"qemu\"\n");
    tree.write("tree/include/unread.h", "#define UNREAD 1\n");
    tree.run(&["index", "-p", "build", "-o", "saved"]).is(0);
    tree.run(&["index", "-p", "build", "--shard", "1/1", "-o", "facts"]).is(0);
    std::fs::hard_link(tree.path("tree/ci/pack.toml"), tree.path("tree/other-name")).unwrap();
    let before = everything(&tree.path("tree"));
    let inputs = [
        "a.c",
        "include/io.h",
        "include/unread.h",
        "build/compile_commands.json",
        "cowrap.toml",
        "ci/pack.toml",
        "other-name",
        "./build/../a.c",
    ];
    for input in inputs {
        let report = format!("json={input}");
        for arguments in [
            &["check", "-p", "build", "--output", &report][..],
            &["index", "-p", "build", "-o", input],
            &["index", "-p", "build", "--shard", "1/1", "-o", input],
            &["index", "-p", "build", "--emit-ninja", input, "--facts-dir", "build"],
            &["baseline", "-p", "build", "-o", input],
        ] {
            tree.run(arguments).is(2).says(input.trim_start_matches("./build/../"));
            assert_eq!(everything(&tree.path("tree")), before, "{arguments:?}");
        }
    }
    for arguments in [
        &["check", "--index", "saved", "--output", "json=saved"][..],
        &["check", "--index", "saved", "--output", "json=a.c"],
        &["index", "--index", "saved", "-o", "saved"],
        &["link", "-o", "facts", "facts"],
        &["link", "-o", "cowrap.toml", "facts"],
        &["link", "-o", "a.c", "facts"],
        &["generate", "--depfile", "include/io.h", "build/gen.c", "include/io.h"],
        &["generate", "--depfile", "VERSION", "build/gen.c", "include/io.h"],
        &["generate", "--depfile", "cowrap.toml", "build/gen.c", "include/io.h"],
        &["generate", "--depfile", "other-name", "build/gen.c", "include/io.h"],
        &["generate", "--depfile", "build/compile_commands.json", "build/gen.c", "include/io.h"],
    ] {
        tree.run(arguments).is(2).says("cannot write");
        let _ = std::fs::remove_file(tree.path("tree/build/gen.c"));
        assert_eq!(everything(&tree.path("tree")), before, "{arguments:?}");
    }
    // Near misses: beside what is read, and what an earlier run wrote.
    for _ in 0..2 {
        tree.run(&["check", "-p", "build", "--output", "json=include/io.h.json", "--output", "short=a.txt"]).is(1);
        tree.run(&["index", "-p", "build", "-o", "saved"]).is(0);
        tree.run(&["link", "-o", "facts.index", "facts"]).is(0);
    }
}

#[test]
fn pipes_and_devices_are_written_to_when_the_user_names_them() {
    let tree = Tree::new();
    tree.run(&["check", "-p", "build", "--output", "json=/dev/null"]).is(1);
    tree.run(&["generate", "/dev/null", "include/io.h"]).is(0);
    let run = tree.run(&["check", "-p", "build", "--format", "short", "--output", "json=/dev/stdout"]).is(1);
    assert!(run.out.contains("\"findings\"") && run.out.contains("cowrap: "), "{run:?}");
    tree.run(&["generate", "/dev/stdout", "include/io.h"]).is(0).says("bdrv_sync");
    // Standard output is a file: it gets both, one after the other.
    let out = std::fs::File::create(tree.path("tree/out.txt")).unwrap();
    let arguments = ["check", "-p", "build", "--format", "short", "--output", "json=/dev/stdout"];
    assert_eq!(tree.command(&arguments).stdout(out).status().unwrap().code(), Some(1));
    let text = tree.read("tree/out.txt");
    assert!(text.starts_with('{') && text.contains("coroutine-call]"), "{text}");
    // A pipe is not read first.
    assert!(Command::new("mkfifo").arg(tree.path("tree/pipe")).status().unwrap().success());
    let mut child = tree.command(&["generate", "pipe", "include/io.h"]).stdout(Stdio::null()).spawn().unwrap();
    let text = std::fs::read_to_string(tree.path("tree/pipe")).unwrap();
    assert!(text.contains("bdrv_sync") && child.wait().unwrap().success());
    tree.write("tree/cowrap.toml", "[[generator]]\ninputs = [\"include/io.h\"]\noutput = \"pipe\"\n");
    tree.run(&["generate", "--all"]).is(2).says("a pipe");
    tree.run(&["generate", "--all", "--check"]).is(2).says("a pipe");
    std::io::stdout().flush().unwrap();
}

// --- fixes ------------------------------------------------------------------------------------------------------

/// How many functions are fixed, each in a file of its own.
const MANY: usize = 40;

/// A tree with many findings that `cowrap fix` fixes: in each unit a mark, which is also put to the declaration in a
/// header.
fn many() -> Tree {
    let tree = Tree { scratch: TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap() };
    tree.write("tree/include/qemu/osdep.h", "#define coroutine_fn\nvoid coroutine_fn co(void);\n");
    let declarations: Vec<String> = (0..MANY).map(|number| format!("void f{number}(void);\n")).collect();
    tree.write("tree/include/all.h", &declarations.concat());
    let mut entries = Vec::new();
    let root = tree.path("tree").canonicalize().unwrap();
    for number in 0..MANY {
        let file = format!("d{}/u{number}.c", number % 5);
        let includes = "#include \"qemu/osdep.h\"\n#include \"all.h\"\n";
        let bodies = format!(
            "void f{number}(void)\n{{\n    co();\n}}\nvoid coroutine_fn g{number}(void)\n{{\n    f{number}();\n}}\n"
        );
        tree.write(&format!("tree/{file}"), &format!("{includes}{bodies}"));
        let arguments = ["cc", "-Iinclude", "-c", file.as_str()];
        entries.push(serde_json::json!({ "directory": root, "file": file, "arguments": arguments }));
    }
    tree.write("tree/build/compile_commands.json", &serde_json::to_string(&entries).unwrap());
    tree.write("outside/file", "theirs");
    tree
}

/// How many of the files have their mark: the header counts as one.
fn marked(tree: &Tree) -> usize {
    let has = |name: String, text: String| usize::from(tree.read(&name).contains(&text));
    let units = (0..MANY)
        .map(|number| has(format!("tree/d{}/u{number}.c", number % 5), format!("void coroutine_fn f{number}(void)")));
    units.sum::<usize>() + has("tree/include/all.h".to_owned(), "coroutine_fn f0".to_owned())
}

/// What cowrap left in a directory and below it.
fn left(directory: &Path) -> Vec<PathBuf> {
    let files = everything(directory).into_iter().map(|(path, _)| path);
    files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".cowrap-")).collect()
}

/// Runs `cowrap fix` and kills it when it exchanges files for the n-th time.
#[cfg(target_os = "linux")]
fn fix_killed_at(tree: &Tree, exchange: usize) {
    let tried = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).output();
    let works = tried.as_ref().is_ok_and(|out| out.status.success());
    assert!(
        works,
        "strace does not work: {tried:?}; without it this test shows nothing: sh .ci/setup --tests installs it"
    );
    let mut command = Command::new("strace");
    command.current_dir(tree.path("tree")).env("COWRAP_CACHE", "").args(["-f", "-qq", "-o", "/dev/null"]);
    command.arg("--trace=renameat2").arg(format!("--inject=renameat2:signal=SIGKILL:when={exchange}"));
    let run = command.arg(env!("CARGO_BIN_EXE_cowrap")).args(["fix", "-p", "build"]).output().unwrap();
    assert!(!run.status.success(), "{run:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_fix_that_is_killed_is_finished_by_the_next_one() {
    let tree = many();
    fix_killed_at(&tree, 10);
    let before = marked(&tree);
    assert!((1..MANY).contains(&before), "{before}");
    assert!(tree.read("tree/include/all.h").contains("coroutine_fn f0"), "the header comes first");
    tree.run(&["check", "-p", "build"]).says("left this tree half changed");
    tree.run(&["callers", "-p", "build", "co"]).says("left this tree half changed");
    tree.run(&["fix", "-p", "build", "--diff"]).says("left this tree half changed");
    assert_eq!(marked(&tree), before);
    tree.run(&["fix", "-p", "build"]).is(0).says("finished what an earlier `cowrap fix` began");
    assert_eq!(marked(&tree), MANY + 1);
    assert_eq!(left(&tree.path("tree")), [] as [PathBuf; 0]);
    let run = tree.run(&["check", "-p", "build"]).is(0);
    assert!(!run.err.contains("half changed"), "{run:?}");
    // What somebody changed meanwhile stays.
    let tree = many();
    fix_killed_at(&tree, 10);
    let last = format!("tree/d{}/u{}.c", (MANY - 1) % 5, MANY - 1);
    let mine = tree.read(&last).replace("co();", "co(); /* mine */");
    tree.write(&last, &mine);
    tree.run(&["fix", "-p", "build"]).is(2).says("can be neither finished nor undone").says(&last["tree/".len()..]);
    assert_eq!(tree.read(&last), mine);
    std::fs::remove_file(tree.path("tree/.cowrap-fix.journal")).unwrap();
    tree.run(&["fix", "-p", "build"]).is(0);
    assert_eq!((marked(&tree), left(&tree.path("tree"))), (MANY + 1, Vec::new()));
}

#[test]
fn a_journal_of_a_stranger_is_refused() {
    let tree = many();
    tree.write("tree/.cowrap-fix.journal", "cowrap fix journal 1\n");
    let run = tree.run(&["check", "-p", "build"]).is(1);
    assert!(!run.err.contains("half changed"), "{run:?}");
    tree.run(&["fix", "-p", "build"]).is(2).says("remove it");
    assert_eq!(marked(&tree), 0);
    std::fs::remove_file(tree.path("tree/.cowrap-fix.journal")).unwrap();
    tree.run(&["fix", "-p", "build"]).is(0);
    assert_eq!(marked(&tree), MANY + 1);
}

// --- streams ----------------------------------------------------------------------------------------------------

/// A stream that takes nothing.
fn full() -> Stdio {
    std::fs::File::options().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn streams_that_take_nothing_decide_nothing_but_the_status() {
    let tree = Tree::new();
    for (status, arguments) in [
        (0, &["baseline", "-p", "build"][..]),
        (0, &["generate", "-v", "gen.c", "include/io.h"]),
        (0, &["pack", "new", "-o", "pack.toml", "--inside", "in", "--outside", "out"]),
        (2, &["check", "-p", "none"]),
        (2, &["no-such-command"]),
        (2, &["check", "--no-such-option"]),
        (0, &["man", "-o", "."]),
    ] {
        for closed in [false, true] {
            let mut command = tree.command(arguments);
            let error = match closed {
                false => full(),
                // Nobody reads the pipe.
                true => {
                    let (reader, writer) = std::io::pipe().unwrap();
                    drop(reader);
                    writer.into()
                }
            };
            let found = command.stdout(Stdio::null()).stderr(error).status().unwrap().code();
            assert_eq!(found, Some(status), "{arguments:?}");
            let _ = std::fs::remove_file(tree.path("tree/pack.toml"));
        }
    }
    for arguments in [
        &["check", "-p", "build", "--no-baseline"][..],
        &["generate", "-", "include/io.h"],
        &["generate", "--check", "other.c", "include/io.h"],
        &["rules"],
        &["explain", "coroutine-call"],
        &["callers", "-p", "build", "co"],
        &["man"],
        &["completions", "bash"],
    ] {
        let mut command = tree.command(arguments);
        let output = command.stdout(full()).stderr(Stdio::piped()).output().unwrap();
        Run::of(output).is(2).says("cannot write");
        // Without anybody who reads, too.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = tree.command(arguments).stdout(writer).stderr(Stdio::null()).status().unwrap();
        assert!(matches!(status.code(), Some(0 | 1)), "{arguments:?}: {status}");
        let both = tree.command(arguments).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(both.code(), Some(2), "{arguments:?}");
    }
}

// --- the cache --------------------------------------------------------------------------------------------------

/// Runs a check with a cache in the tree's root, and gives what it says of the cache.
fn check_with_cache(tree: &Tree, directory: &str) -> Run {
    let mut command = tree.command(&["check", "-p", "build", "--cache-dir", directory]);
    let before = everything(&tree.path("outside"));
    let run = Run::of(command.output().unwrap()).is(1).says("coroutine-call");
    assert_eq!(everything(&tree.path("outside")), before, "{run:?}");
    run
}

fn git(tree: &Tree, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(tree.path("tree")).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.args(["-c", "user.name=Test", "-c", "user.email=test@example.org"]).args(arguments);
    let out = command.output().unwrap();
    assert!(out.status.success(), "{arguments:?}: {out:?}");
}

#[test]
fn a_cache_that_others_can_change_is_not_used_and_named() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new();
    let mode = |mode| std::fs::set_permissions(tree.path("cache"), std::fs::Permissions::from_mode(mode)).unwrap();
    check_with_cache(&tree, "../cache");
    assert!(tree.path("cache/v1").is_dir());
    for bad in [0o777, 0o1777] {
        mode(bad);
        let run = check_with_cache(&tree, "../cache").says("running without a cache: others can write to the cache");
        assert_eq!(run.err.matches("running without a cache").count(), 1, "it is said once: {run:?}");
    }
    mode(0o755);
    assert!(!check_with_cache(&tree, "../cache").err.contains("warning"));
    if std::os::unix::fs::chown(tree.path("cache"), Some(1234), None).is_ok() {
        check_with_cache(&tree, "../cache").says("belongs to another user");
        std::os::unix::fs::chown(tree.path("cache"), Some(0), None).unwrap();
    }
    // Other things that are no cache.
    tree.write("notes/notes.txt", "");
    check_with_cache(&tree, "../notes").says("is not a cache of cowrap");
    check_with_cache(&tree, "../outside/file").says("running without a cache");
    check_with_cache(&tree, "/dev/null/cache").says("cache");
    tree.write("linked/CACHEDIR.TAG", &tree.read("cache/CACHEDIR.TAG"));
    tree.link("../outside", "linked/v1");
    check_with_cache(&tree, "../linked").says("running without a cache");
}

#[test]
fn what_is_no_file_in_a_cache_costs_only_itself() {
    let tree = Tree::new();
    check_with_cache(&tree, "../cache");
    let names: Vec<String> = std::fs::read_dir(tree.path("cache/v1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().any(|name| name.starts_with("tree-")) && names.contains(&"lock".to_owned()), "{names:?}");
    let plants: [&dyn Fn(&Path); 4] = [
        &|path| symlink("../../outside/file", path).unwrap(),
        &|path| symlink("../../outside/none", path).unwrap(),
        &|path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        &|path| std::fs::create_dir(path).unwrap(),
    ];
    for (number, plant) in plants.iter().enumerate() {
        let cache = format!("../cache{number}");
        check_with_cache(&tree, &cache);
        let directory = tree.path("tree").join(&cache).join("v1");
        for name in names.iter().map(String::as_str).chain(["log-1.data", "log-1.index"]) {
            // A lock that is a directory cannot be replaced.
            if name != "lock" || number != 3 {
                let _ = std::fs::remove_file(directory.join(name));
                plant(&directory.join(name));
            }
        }
        for _ in 0..2 {
            let run = check_with_cache(&tree, &cache);
            assert!(!run.err.contains("warning"), "{run:?}");
        }
    }
}

#[test]
fn a_cache_that_the_tree_brings_is_not_used() {
    let tree = Tree::new();
    std::fs::remove_dir_all(tree.path("tree/.git")).unwrap();
    git(&tree, &["init", "-q"]);
    check_with_cache(&tree, ".cowrap-cache");
    assert!(!check_with_cache(&tree, ".cowrap-cache").err.contains("warning"), "it is the user's");
    // In git's own directory, no change can bring it.
    assert!(!check_with_cache(&tree, ".git/cowrap-cache").err.contains("warning"));
    git(&tree, &["add", "-f", ".cowrap-cache/CACHEDIR.TAG"]);
    check_with_cache(&tree, ".cowrap-cache").says("git tracks the cache");
    tree.link("../cache", "tree/link");
    tree.link("..", "tree/up");
    assert!(!check_with_cache(&tree, "link").err.contains("warning"));
    git(&tree, &["add", "link", "up"]);
    check_with_cache(&tree, "link").says("git tracks the cache");
    check_with_cache(&tree, "up/cache").says("git tracks the cache");
    assert!(!check_with_cache(&tree, "../cache").err.contains("warning"));
}

// --- full disks and signals -------------------------------------------------------------------------------------

/// A shell command that runs cowrap under a limit on the size of files, in blocks of 512 or 1024 bytes.
fn limited(tree: &Tree, blocks: usize, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command
        .current_dir(tree.path("tree"))
        .arg("-c")
        .arg(format!("ulimit -c 0; ulimit -f {blocks}; exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_cowrap")).args(arguments).env("COWRAP_CACHE", "");
    command
}

#[test]
fn a_limit_on_the_size_of_files_costs_what_is_too_large() {
    let tree = many();
    let expected = tree.run(&["check", "-p", "build", "--format", "short"]).is(1).out;
    let reported = |out: &str| out.lines().filter(|line| line.ends_with(']')).map(str::to_owned).collect::<Vec<_>>();
    let cache = tree.path("cache");
    for blocks in [0, 1, 8, 64] {
        let _ = std::fs::remove_dir_all(&cache);
        let arguments = ["check", "-p", "build", "--format", "short", "--cache-dir", "../cache"];
        let out = Run::of(limited(&tree, blocks, &arguments).output().unwrap());
        // Standard output is a pipe, which has no size.
        let run = out.is(1);
        assert_eq!(reported(&run.out), reported(&expected), "{blocks}");
        assert!(run.err.matches("cannot cache").count() + run.out.matches("cannot cache").count() <= 1, "{run:?}");
        assert_eq!(left(&cache), [] as [PathBuf; 0], "{blocks}");
    }
    for arguments in [
        &["index", "-p", "build", "-o", "index"][..],
        &["check", "-p", "build", "--output", "json=report"],
        &["index", "-p", "build", "--shard", "1/1", "-o", "facts"],
        &["baseline", "-p", "build"],
        &["fix", "-p", "build"],
        &["fix", "-p", "build", "--patches", "out"],
        &["index", "-p", "build", "--emit-ninja", "tree.ninja"],
    ] {
        let before = everything(&tree.path("tree"));
        Run::of(limited(&tree, 0, arguments).output().unwrap()).is(2);
        assert_eq!(everything(&tree.path("tree")), before, "{arguments:?}");
    }
}

#[test]
fn a_directory_for_temporary_files_that_cannot_be_used_is_told_once() {
    let tree = many();
    for temporary in ["/dev/null", "/none"] {
        let mut command = tree.command(&["check", "-p", "build", "--format", "short"]);
        let run = Run::of(command.env("TMPDIR", temporary).output().unwrap()).is(1);
        assert_eq!(run.err.matches("TMPDIR").count(), 1, "{run:?}");
        assert_eq!(run.out.lines().filter(|line| line.ends_with(']')).count(), MANY);
    }
}

#[test]
fn a_signal_leaves_no_temporary_files() {
    use std::os::unix::process::ExitStatusExt;
    let tree = many();
    let temporary = tree.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let names = || std::fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    let start = |before: &str| {
        let mut command = Command::new("sh");
        command.current_dir(tree.path("tree")).arg("-c").arg(format!("{before} exec \"$0\" \"$@\""));
        command.arg(env!("CARGO_BIN_EXE_cowrap")).args(["check", "-p", "build"]);
        command.env("COWRAP_CACHE", "").env("TMPDIR", &temporary).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while names().is_empty() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it made a temporary file");
        }
        child
    };
    let send = |signal: &str, child: &std::process::Child| {
        let sent = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status().unwrap();
        assert!(sent.success());
    };
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let mut child = start("");
        send(signal, &child);
        assert_eq!(child.wait().unwrap().signal(), Some(number), "{signal}");
        assert_eq!(names(), [] as [std::ffi::OsString; 0], "{signal}");
    }
    // What the one who starts it ignores stays ignored.
    let mut child = start("trap '' HUP;");
    send("HUP", &child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    // A kill leaves them, and the next run removes them.
    let mut child = start("");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names().len(), 1);
    let mut command = tree.command(&["check", "-p", "build"]);
    assert_eq!(command.env("TMPDIR", &temporary).stdout(Stdio::null()).status().unwrap().code(), Some(1));
    assert_eq!(names(), [] as [std::ffi::OsString; 0]);
}

#[test]
fn the_next_run_removes_what_a_killed_one_left_beside_its_output() {
    let tree = Tree::new();
    let mut child = Command::new("true").spawn().unwrap();
    let dead = child.id();
    child.wait().unwrap();
    for name in ["report", "living"] {
        let process = if name == "living" { 1 } else { dead };
        tree.write(&format!("tree/ci/.cowrap-{process}-1f-{name}"), "half");
    }
    tree.run(&["check", "-p", "build", "--output", "json=ci/report"]).is(1);
    assert_eq!(left(&tree.path("tree")), [tree.path("tree/ci/.cowrap-1-1f-living")]);
}
