//! `cowrap generate` as builds and people meet it.
//!
//! Small trees are written on the spot. What is generated is compiled and run in `tests/dialects.rs`.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use assert_cmd::Command;
use tempfile::TempDir;

/// A tree that says what dialect it speaks, with one header.
struct Tree {
    scratch: TempDir,
}

const HEADER: &str = "#include \"block/block-common.h\"\n\nint coroutine_fn bdrv_co_sync(BlockDriverState *bs);\n\
                      int co_wrapper bdrv_sync(BlockDriverState *bs);\n";
const OTHER: &str = "void co_wrapper_mixed bdrv_trim(BdrvChild *child, int64_t offset);\n";
const REFUSED: &str = "int co_wrapper bdrv_printf(const char *format, ...);\n";

impl Tree {
    fn new() -> Tree {
        let tree = Tree { scratch: TempDir::new().unwrap() };
        tree.write("VERSION", "10.2.0\n");
        tree.write("include/qemu/osdep.h", "");
        tree.write("include/io.h", HEADER);
        tree.write("include/other.h", OTHER);
        tree.write("include/refused.h", REFUSED);
        tree.write("include/nothing.h", "int f(void);\n");
        tree
    }

    fn root(&self) -> &Path {
        self.scratch.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.root().join(name)).unwrap()
    }

    fn time(&self, name: &str) -> SystemTime {
        self.root().join(name).metadata().unwrap().modified().unwrap()
    }

    fn exists(&self, name: &str) -> bool {
        self.root().join(name).exists()
    }

    /// Runs in the tree's root: status, standard output, standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run_in(self.root(), arguments)
    }

    fn run_in(&self, directory: &Path, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        let out = command.current_dir(directory).arg("generate").args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
    }

    /// The names below the root, sorted.
    fn names(&self) -> Vec<PathBuf> {
        let mut names = Vec::new();
        let mut directories = vec![self.root().to_path_buf()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    names.push(path);
                }
            }
        }
        names.sort();
        names
    }
}

#[test]
fn the_output_is_written_and_nothing_is_said() {
    let tree = Tree::new();
    assert_eq!(tree.run(&["out.c", "include/io.h", "include/other.h"]), (0, String::new(), String::new()));
    let text = tree.read("out.c");
    assert!(text.contains("\nint bdrv_sync(BlockDriverState *bs)\n"), "{text}");
    assert!(text.contains("\nvoid bdrv_trim(BdrvChild *child, int64_t offset)\n"), "{text}");
    assert!(text.find("bdrv_sync") < text.find("bdrv_trim"), "in the order of the inputs");
}

#[test]
fn a_dash_is_standard_output() {
    let tree = Tree::new();
    let (status, out, _) = tree.run(&["-", "include/io.h"]);
    tree.run(&["out.c", "include/io.h"]);
    assert_eq!((status, out), (0, tree.read("out.c")));
    assert!(!tree.exists("-"));
}

#[test]
fn what_is_written_does_not_depend_on_where_it_is_written_from() {
    let tree = Tree::new();
    tree.run(&["out.c", "include/io.h"]);
    let absolute = tree.root().join("include/io.h");
    tree.run_in(&tree.root().join("include"), &["../other.c", "../include/./io.h"]);
    assert_eq!(tree.read("out.c"), tree.read("other.c"));
    let elsewhere = TempDir::new().unwrap();
    let (status, out, _) = tree.run_in(elsewhere.path(), &["-", absolute.to_str().unwrap()]);
    assert_eq!((status, out), (0, tree.read("out.c")));
}

#[test]
fn an_output_that_is_right_is_not_touched() {
    let tree = Tree::new();
    tree.run(&["out.c", "include/io.h"]);
    let before = tree.time("out.c");
    let names = tree.names();
    assert_eq!(tree.run(&["out.c", "include/io.h"]).0, 0);
    assert_eq!(tree.time("out.c"), before);
    assert_eq!(tree.names(), names, "no temporary file is left");
    tree.write("include/io.h", &HEADER.replace("co_wrapper ", "co_wrapper_mixed "));
    assert_eq!(tree.run(&["out.c", "include/io.h"]).0, 0);
    assert!(tree.read("out.c").contains("if (qemu_in_coroutine())"));
    assert_eq!(tree.names(), names);
}

#[test]
fn check_writes_nothing_and_tells_the_difference() {
    let tree = Tree::new();
    let (status, out, _) = tree.run(&["--check", "out.c", "include/io.h"]);
    assert_eq!(status, 1);
    assert!(out.starts_with("--- out.c\n+++ out.c\n") && out.contains("\n+int bdrv_sync("), "{out}");
    assert!(!tree.exists("out.c"));
    tree.run(&["out.c", "include/io.h"]);
    assert_eq!(tree.run(&["--check", "out.c", "include/io.h"]), (0, String::new(), String::new()));
    tree.write("include/io.h", &HEADER.replace("bs);\nint co", "bs);\nvoid co"));
    let before = tree.read("out.c");
    let (status, out, _) = tree.run(&["--check", "out.c", "include/io.h"]);
    assert_eq!(status, 1);
    assert!(out.contains("\n-int bdrv_sync(") && out.contains("\n+void bdrv_sync("), "{out}");
    assert_eq!(tree.read("out.c"), before);
}

#[test]
fn what_cannot_be_wrapped_is_refused_and_nothing_is_written() {
    let tree = Tree::new();
    let (status, out, err) = tree.run(&["out.c", "include/io.h", "include/refused.h"]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.contains("error: `bdrv_printf` takes a variable number of arguments"), "{err}");
    assert!(err.contains("include/refused.h:1:") && err.contains("^^^") && err.contains("help: "), "{err}");
    assert!(!tree.exists("out.c"));
    tree.run(&["out.c", "include/io.h"]);
    let before = (tree.read("out.c"), tree.time("out.c"));
    assert_eq!(tree.run(&["out.c", "include/io.h", "include/refused.h"]).0, 1);
    assert_eq!((tree.read("out.c"), tree.time("out.c")), before);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let tree = Tree::new();
    tree.write("include/a.h", "int co_wrapper bdrv_a(int);\nint co_wrapper b(int x);\n");
    let (status, _, err) = tree.run(&["out.c", "include/a.h", "include/refused.h"]);
    assert_eq!(status, 1);
    let at = |place: &str| err.find(place).unwrap_or_else(|| panic!("{place}: {err}"));
    assert!(at("include/a.h:1:") < at("include/a.h:2:") && at("include/a.h:2:") < at("include/refused.h:1:"), "{err}");
}

#[test]
fn a_header_that_asks_for_nothing_is_a_warning() {
    let tree = Tree::new();
    let (status, _, err) = tree.run(&["out.c", "include/io.h", "include/nothing.h"]);
    assert_eq!(status, 0);
    assert!(err.contains("warning: include/nothing.h declares no wrapper"), "{err}");
    assert!(tree.exists("out.c"));
}

#[test]
fn static_wrappers_are_for_files_to_be_included() {
    let tree = Tree::new();
    tree.write("include/static.h", "static int co_wrapper bdrv_sync(BlockDriverState *bs);\n");
    let (status, _, err) = tree.run(&["out.c", "include/static.h"]);
    assert!(status == 1 && err.contains("--includable"), "{err}");
    assert_eq!(tree.run(&["--includable", "out.c.inc", "include/static.h"]).0, 0);
    let text = tree.read("out.c.inc");
    assert!(text.contains("static int bdrv_sync(BlockDriverState *bs)\n") && !text.contains("#include"), "{text}");
}

#[test]
fn another_subsystem_names_its_own_includes() {
    let tree = Tree::new();
    let (_, out, _) = tree.run(&["--include", "hw/thing.h", "-", "include/io.h"]);
    assert!(out.contains("#include \"hw/thing.h\"\n") && !out.contains("block/block_int.h"), "{out}");
    assert!(out.contains("#include \"block/block-gen.h\"\n"), "a coroutine wrapper polls: {out}");
    tree.write("include/bh.h", "void no_co_wrapper xen_co_reset(int x);\n");
    let (_, out, _) = tree.run(&["--include", "hw/thing.h", "-", "include/bh.h"]);
    assert!(!out.contains("block-gen.h"), "a bottom half does not: {out}");
}

#[test]
fn the_further_marks_are_in_a_pack_of_their_own() {
    let tree = Tree::new();
    tree.write("include/next.h", "int no_co_wrapper_mixed_iohandler xen_co_reset(int x);\n");
    let (status, _, err) = tree.run(&["out.c", "include/next.h"]);
    assert!(status == 1 && err.contains("unknown wrapper mark `no_co_wrapper_mixed_iohandler`"), "{err}");
    let (status, out, _) = tree.run(&["--pack", "qemu-next", "-", "include/next.h"]);
    assert_eq!(status, 0);
    assert!(out.contains("aio_bh_schedule_oneshot(iohandler_get_aio_context(), xen_reset_bh, &s);"), "{out}");
}

#[test]
fn the_dependencies_are_all_that_was_read() {
    let tree = Tree::new();
    tree.write("include/with space.h", OTHER);
    tree.write("block/block-gen.h", "AioContext *ctx;\n");
    assert_eq!(tree.run(&["--depfile", "out.d", "out.c", "include/io.h", "include/with space.h"]).0, 0);
    let text = tree.read("out.d");
    let (target, words) = text.split_once(':').unwrap();
    assert_eq!(target, "out.c");
    let root = tree.root().canonicalize().unwrap();
    let words: Vec<String> = words.split(" \\\n  ").skip(1).map(|word| word.trim_end().to_owned()).collect();
    assert_eq!(&words[..2], ["include/io.h", "include/with\\ space.h"]);
    let consulted: Vec<PathBuf> = words[2..].iter().map(|word| PathBuf::from(word).canonicalize().unwrap()).collect();
    assert_eq!(consulted, [root.join("VERSION"), root.join("block/block-gen.h")]);
}

#[test]
fn without_a_root_the_dialect_must_be_given() {
    let tree = Tree::new();
    let elsewhere = TempDir::new().unwrap();
    std::fs::write(elsewhere.path().join("io.h"), HEADER).unwrap();
    let (status, _, err) = tree.run_in(elsewhere.path(), &["out.c", "io.h"]);
    assert_eq!(status, 2);
    assert!(err.contains("--dialect") && err.contains("`9.0` (9.0 and later)") && err.contains("VERSION"), "{err}");
    assert_eq!(tree.run_in(elsewhere.path(), &["--dialect", "9.0", "out.c", "io.h"]).0, 0);
    let root = tree.root().to_str().unwrap();
    assert_eq!(tree.run_in(elsewhere.path(), &["--root", root, "out.c", "io.h"]).0, 0);
    let (status, _, err) = tree.run(&["--dialect", "4.2", "out.c", "include/io.h"]);
    assert!(status == 2 && err.contains("unknown dialect `4.2`"), "{err}");
}

#[test]
fn a_tree_tells_its_dialect() {
    let tree = Tree::new();
    let dialect = |tree: &Tree| {
        let (status, _, err) = tree.run(&["-v", "-", "include/io.h"]);
        assert_eq!(status, 0, "{err}");
        err.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(dialect(&tree), "9.0");
    tree.write(
        "block/block-gen.h",
        "typedef struct BdrvPollCo {\n    BlockDriverState *bs;\n    int ret;\n} BdrvPollCo;\n",
    );
    for (version, expected) in [("5.2.0", "5.2"), ("6.1.0", "5.2"), ("6.2.0", "6.2"), ("7.2.3", "6.2")] {
        tree.write("VERSION", version);
        assert_eq!(dialect(&tree), expected, "{version}");
    }
    tree.write("block/block-gen.h", "typedef struct BdrvPollCo {\n    AioContext *ctx;\n} BdrvPollCo;\n");
    tree.write("include/block/aio.h", "void aio_context_acquire(AioContext *ctx);\n");
    let locks = |wr: &str, un: &str| format!("void bdrv_graph_wrlock({wr});\nvoid bdrv_graph_wrunlock({un});\n");
    for (version, lock, unlock, expected) in [
        ("8.0.0", "void", "void", "8.0"),
        ("8.1.0", "BlockDriverState *bs", "void", "8.1"),
        ("8.2.0", "BlockDriverState *bs", "BlockDriverState *bs", "8.2"),
        ("9.0.0", "void", "void", "releases"),
    ] {
        tree.write("VERSION", version);
        tree.write("include/block/graph-lock.h", &locks(lock, unlock));
        assert_eq!(dialect(&tree), expected, "{version}");
    }
    tree.write("include/block/aio.h", "/* no locks any more */\n");
    assert_eq!(dialect(&tree), "9.0");
    // The tree's own script knows better than its version.
    tree.write("scripts/block-coroutine-wrapper.py", "BlockBackend aio_context_acquire\n");
    tree.write("include/block/graph-lock.h", &locks("BlockDriverState *bs", "BlockDriverState *bs"));
    assert_eq!(dialect(&tree), "8.2");
}

#[test]
fn what_no_generator_wrote_is_not_overwritten() {
    let tree = Tree::new();
    let (status, _, err) = tree.run(&["include/io.h", "include/other.h"]);
    assert!(status == 2 && err.contains("is not a generated file and will not be overwritten"), "{err}");
    let (status, _, err) = tree.run(&["include/./io.h", "include/other.h", "include/io.h"]);
    assert!(status == 2 && err.contains("one of the headers"), "{err}");
    assert_eq!(tree.read("include/io.h"), HEADER);
    tree.write("old.c", "/*\n * File is generated by scripts/block-coroutine-wrapper.py\n */\n");
    tree.write("empty.c", "");
    assert_eq!(tree.run(&["old.c", "include/io.h"]).0, 0);
    assert_eq!(tree.run(&["empty.c", "include/io.h"]).0, 0);
}

#[test]
fn what_cannot_be_read_or_written_is_status_2_and_named() {
    let tree = Tree::new();
    for (arguments, named) in [
        (&["out.c", "include/none.h"][..], "include/none.h"),
        (&["none/out.c", "include/io.h"], "none/out.c"),
        (&["out.c"], "<OUT> <HEADER>"),
        (&[], "OUT"),
        (&["--pack", "none.toml", "out.c", "include/io.h"], "none.toml"),
        (&["--all"], "intro-targets.json"),
        (&["--all", "out.c", "include/io.h"], "--all"),
    ] {
        let (status, _, err) = tree.run(arguments);
        assert!(status == 2 && err.contains(named), "{arguments:?}: {err}");
    }
    assert!(!tree.exists("out.c"));
}

#[test]
fn a_full_disk_is_status_2() {
    let tree = Tree::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_cowrap"))
        .current_dir(tree.root())
        .args(["generate", "-", "include/io.h"])
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(2));
}

/// The system kills the program in the middle of its write, since the file may not grow so large.
#[test]
fn when_it_is_killed_the_old_output_is_still_whole() {
    let tree = Tree::new();
    tree.run(&["out.c", "include/io.h"]);
    let before = tree.read("out.c");
    let many: String = (0..500).map(|number| format!("int co_wrapper bdrv_f{number}(int x);\n")).collect();
    tree.write("include/many.h", &many);
    let script = format!("ulimit -f 8; exec {} generate out.c include/many.h", env!("CARGO_BIN_EXE_cowrap"));
    let status = std::process::Command::new("sh").current_dir(tree.root()).args(["-c", &script]).status().unwrap();
    assert!(!status.success());
    assert_eq!(tree.read("out.c"), before);
    assert_eq!(tree.run(&["out.c", "include/many.h"]).0, 0, "a second run does the job");
    assert!(tree.read("out.c").contains("bdrv_f499"));
}

#[test]
fn all_that_a_build_generates_is_generated() {
    let tree = Tree::new();
    let path = |name: &str| tree.root().join(name).display().to_string();
    let target = |name: &str, program: &[&str], inputs: &[&str]| {
        let command: Vec<&str> = [program, &["@OUTPUT@", "@INPUT@"]].concat();
        serde_json::json!({
            "name": name,
            "type": "custom",
            "filename": [path(name)],
            "target_sources": [{
                "language": "unknown",
                "compiler": command,
                "sources": inputs.iter().map(|input| path(input)).collect::<Vec<_>>(),
            }],
        })
    };
    let targets = serde_json::json!([
        target("block-gen.c", &["python3", "../scripts/block-coroutine-wrapper.py"], &["include/io.h"]),
        target("other-co-gen.c", &["/usr/bin/cowrap", "generate"], &["include/other.h"]),
        target("report.json", &["/usr/bin/cowrap", "check"], &["include/other.h"]),
        target("version.h", &["python3", "version.py"], &["include/nothing.h"]),
        { "name": "prog", "type": "executable", "filename": [path("prog")], "target_sources": [] },
    ]);
    tree.write("build/meson-info/intro-targets.json", &targets.to_string());
    assert_eq!(tree.run(&["--all", "-p", "build", "--check"]).0, 1);
    assert!(!tree.exists("block-gen.c"));
    assert_eq!(tree.run(&["--all", "-p", "build"]).0, 0);
    assert!(tree.read("block-gen.c").contains("bdrv_sync") && tree.read("other-co-gen.c").contains("bdrv_trim"));
    assert!(!tree.exists("version.h") && !tree.exists("report.json"));
    assert_eq!(tree.run(&["--all", "-p", "build", "--check"]), (0, String::new(), String::new()));
    tree.write("build/meson-info/intro-targets.json", "[{");
    let (status, _, err) = tree.run(&["--all", "-p", "build"]);
    assert!(status == 2 && err.contains("intro-targets.json"), "{err}");
}

#[test]
fn the_output_is_the_same_for_any_number_of_threads() {
    let tree = Tree::new();
    let many: String = (0..500).map(|number| format!("int co_wrapper bdrv_f{number}(int x);\n")).collect();
    tree.write("include/many.h", &many);
    let with = |threads: &str| {
        let out = Command::new(env!("CARGO_BIN_EXE_cowrap"))
            .current_dir(tree.root())
            .env("RAYON_NUM_THREADS", threads)
            .args(["generate", "-", "include/many.h", "include/io.h", "include/other.h"])
            .output()
            .unwrap();
        assert!(out.status.success());
        out.stdout
    };
    let one = with("1");
    assert_eq!(one, with("2"));
    assert_eq!(one, with("7"));
}

#[test]
fn messages_deceive_no_terminal() {
    let tree = Tree::new();
    tree.write("include/odd.h", "int co_wrapper bdrv_\u{1b}[31mx(int \u{202e});\n");
    let (status, _, err) = tree.run(&["--color", "never", "out.c", "include/odd.h"]);
    assert_ne!(status, 0);
    assert!(!err.contains('\u{1b}') && !err.contains('\u{202e}'), "{err:?}");
}

/// The trees of `testdata/` have generated files that are up to date, but for the one that is stale on purpose.
#[test]
fn the_generated_files_of_testdata_are_what_is_generated() {
    let tree = Tree::new();
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let modern = ["--check", "block/block-gen.c", "include/block/block-io.h", "include/block/block-global-state.h"];
    assert_eq!(tree.run_in(&testdata.join("miniblock"), &modern), (0, String::new(), String::new()));
    let legacy = ["--check", "block/block-gen.c", "include/block/block.h", "block/coroutines.h"];
    assert_eq!(tree.run_in(&testdata.join("miniblock-legacy"), &legacy), (0, String::new(), String::new()));
}
