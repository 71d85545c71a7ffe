//! The gate: what a change brought, what is staged, baselines, and the settings of a tree. Each test has a repository of its own,
//! whose history is made on the spot.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Marks, and what the files below call.
const CO: &str = "\
#ifndef CO_H
#define CO_H
#define coroutine_fn
#define coroutine_mixed_fn
#define no_coroutine_fn
void coroutine_fn qemu_coroutine_yield(void);
void coroutine_fn drain(void);
#endif
";

/// A unit in which a function without a mark calls `drain` in line 4.
fn breaking(function: &str) -> String {
    format!("#include \"co.h\"\nvoid {function}(void);\nvoid {function}(void) {{\n    drain();\n}}\n")
}

/// The message about a function of [`breaking`].
fn breach(file: &str, line: u32, function: &str) -> String {
    format!("{file}:{line}:5: error: `coroutine_fn` `drain` called from unmarked `{function}` [coroutine-call]")
}

/// A git repository with a build directory, and a cache.
struct Repository {
    scratch: TempDir,
    cache: TempDir,
    /// More variables of the environment.
    environment: BTreeMap<&'static str, PathBuf>,
}

/// What the program said.
#[derive(Debug)]
struct Said {
    status: i32,
    /// The lines about findings.
    findings: Vec<String>,
    /// The other lines, and standard error.
    rest: String,
}

impl Repository {
    /// Files, which are committed, and whose C files are units.
    fn new(files: &[(&str, &str)]) -> Repository {
        let repository = Repository::without_commit(files);
        repository.commit("first");
        repository
    }

    fn without_commit(files: &[(&str, &str)]) -> Repository {
        let repository = Repository {
            scratch: tempfile::tempdir().unwrap(),
            cache: tempfile::tempdir().unwrap(),
            environment: BTreeMap::new(),
        };
        repository.write("include/co.h", CO);
        repository.write(".gitignore", "build/\n");
        for (path, text) in files {
            repository.write(path, text);
        }
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.database();
        repository
    }

    fn root(&self) -> &Path {
        self.scratch.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Makes every C file that is there a unit.
    fn database(&self) {
        let mut entries = Vec::new();
        let mut directories = vec![self.root().to_path_buf()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && path.file_name().unwrap() != ".git" {
                    directories.push(path);
                } else if path.extension().is_some_and(|extension| extension == "c") {
                    let root = self.root().display();
                    let file = path.display();
                    entries.push(format!(
                        r#"{{"directory": "{root}", "file": "{file}", "arguments": ["cc", "-Iinclude", "-I.", "-c", "{file}"]}}"#
                    ));
                }
            }
        }
        entries.sort();
        self.write("build/compile_commands.json", &format!("[{}]", entries.join(",\n")));
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.root()).args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.editor=true"]);
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let out = command.args(arguments).output().unwrap();
        assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    fn run(&self, arguments: &[&str]) -> Said {
        // Longer than any file system's clock ticks: what is younger than a run is not remembered.
        std::thread::sleep(std::time::Duration::from_millis(40));
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.current_dir(self.root()).args(arguments).envs(&self.environment);
        let out = command.env("COWRAP_CACHE", self.cache.path()).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        let (rest, findings): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with("cowrap: ") || line.starts_with("  "));
        let findings = findings.into_iter().map(str::to_owned).collect();
        let rest = rest.join("\n") + "\n" + &String::from_utf8_lossy(&out.stderr);
        Said { status: out.status.code().unwrap(), findings, rest }
    }

    fn check(&self, arguments: &[&str]) -> Said {
        self.run(&[&["check", "-p", "build", "--format", "short"], arguments].concat())
    }

    /// What differs from `revision`, which is decided by what was found there.
    fn since(&self, revision: &str) -> Vec<String> {
        let said = self.check(&["--diff-base", revision]);
        assert!(said.rest.contains(&format!("compared with {revision} (")), "{said:?}");
        assert!(!said.rest.contains("by changed lines only"), "{said:?}");
        assert_eq!(said.status, i32::from(said.findings.iter().any(|line| line.contains(": error: "))), "{said:?}");
        said.findings
    }

    fn staged(&self) -> Vec<String> {
        let said = self.check(&["--staged"]);
        assert!(!said.rest.contains("by changed lines only"), "{said:?}");
        said.findings
    }
}

// --- what a change brought --------------------------------------------------------------------------------------

#[test]
fn only_what_is_new_is_told() {
    let repository = Repository::new(&[("old.c", &breaking("old"))]);
    assert_eq!(repository.since("HEAD"), [] as [&str; 0]);
    repository.write("new.c", &breaking("new"));
    repository.database();
    assert_eq!(repository.since("HEAD"), [breach("new.c", 4, "new")], "a file that git does not know");
    repository.commit("new");
    assert_eq!(repository.since("HEAD~1"), [breach("new.c", 4, "new")]);
    assert_eq!(repository.since("HEAD"), [] as [&str; 0]);
    let said = repository.check(&["--diff-base", "HEAD"]);
    assert!(said.rest.contains("2 existing findings not shown"), "{said:?}");
}

#[test]
fn what_moved_is_not_new_and_what_is_edited_is_told() {
    let repository = Repository::new(&[("old.c", &breaking("old"))]);
    let moved = format!("/* a comment\n * of several lines\n */\n\n{}", breaking("old"));
    repository.write("old.c", &moved);
    assert_eq!(repository.since("HEAD"), [] as [&str; 0]);
    repository.write("old.c", &moved.replace("    drain();", "    drain(); /* here */"));
    assert_eq!(repository.since("HEAD"), [breach("old.c", 8, "old")]);
    let said = repository.run(&["check", "-p", "build", "--diff-base", "HEAD"]);
    assert!(said.rest.contains("reported before this change, which touches one of its lines"), "{said:?}");
}

#[test]
fn what_a_change_elsewhere_made_true_is_new() {
    // What guards the call is in a header.
    let header = "#include \"co.h\"\n_Bool qemu_in_coroutine(void);\n#define CAN_WAIT() qemu_in_coroutine()\n";
    let unit = "#include \"work.h\"\nvoid work(void) {\n    if (CAN_WAIT())\n    drain();\n}\n";
    let repository = Repository::new(&[("work.h", header), ("work.c", unit), ("old.c", &breaking("old"))]);
    assert_eq!(repository.check(&[]).findings.len(), 1);
    repository.write("work.h", "#include \"co.h\"\n_Bool qemu_in_coroutine(void);\n#define CAN_WAIT() 1\n");
    assert_eq!(repository.since("HEAD"), [breach("work.c", 4, "work")]);
    // The same when nothing of the state before is remembered.
    std::fs::remove_dir_all(repository.cache.path()).unwrap();
    assert_eq!(repository.since("HEAD"), [breach("work.c", 4, "work")]);
    // An index does not know it, and that is told.
    assert_eq!(repository.run(&["index", "-p", "build", "-o", "tree.index"]).status, 0);
    let said = repository.run(&["check", "--index", "tree.index", "--format", "short", "--diff-base", "HEAD"]);
    assert_eq!((said.status, said.findings.len()), (0, 0), "{said:?}");
    assert!(said.rest.contains("by changed lines only, because an index"), "{said:?}");
    repository.write("work.c", &unit.replace("drain();", "drain( );"));
    assert_eq!(repository.run(&["index", "-p", "build", "-o", "tree.index"]).status, 0);
    let said = repository.run(&["check", "--index", "tree.index", "--format", "short", "--diff-base", "HEAD"]);
    assert_eq!(said.findings, [breach("work.c", 4, "work")]);
}

#[test]
fn a_file_that_was_moved_brings_nothing() {
    let long = breaking("b") + &"/* so that most of it stays as it is */\n".repeat(30);
    let repository = Repository::new(&[("old.c", &breaking("old")), ("b.c", &long)]);
    std::fs::create_dir(repository.root().join("dir")).unwrap();
    repository.git(&["mv", "old.c", "dir/new.c"]);
    repository.database();
    assert_eq!(repository.since("HEAD"), [] as [&str; 0]);
    // Moved and changed: what it says elsewhere is new.
    repository.commit("moved");
    repository.git(&["mv", "b.c", "a.c"]);
    let more = "\nvoid more(void);\nvoid more(void) {\n    drain();\n}\n";
    repository.write("a.c", &format!("/* some */\n{long}{more}"));
    repository.git(&["add", "--all"]);
    repository.database();
    assert_eq!(repository.since("HEAD"), [breach("a.c", 40, "more")]);
}

#[test]
fn headers_that_come_and_go() {
    let marked = "#include \"co.h\"\nvoid coroutine_fn f(void);\n";
    let plain = "#include \"co.h\"\nvoid f(void);\n";
    let unit = "#include <f.h>\nvoid f(void) {\n    drain();\n}\n";
    let repository = Repository::new(&[("f.h", marked), ("f.c", unit)]);
    // The header that says it is another one now.
    repository.git(&["mv", "f.h", "g.h"]);
    repository.write("f.h", plain);
    assert_eq!(repository.since("HEAD"), [breach("f.c", 3, "f")]);
    // The mark is there again, and the header is gone.
    repository.write("f.c", &unit.replace("f.h", "g.h"));
    std::fs::remove_file(repository.root().join("f.h")).unwrap();
    assert_eq!(repository.since("HEAD"), [] as [&str; 0]);
}

#[test]
fn a_branch_is_compared_with_where_it_parted() {
    let repository = Repository::new(&[("old.c", &breaking("old")), ("good.c", "#include \"co.h\"\n")]);
    repository.git(&["switch", "--quiet", "--create", "topic"]);
    repository.write("topic.c", &breaking("topic"));
    repository.commit("topic");
    // What main did in the meantime is not the topic's doing.
    repository.git(&["switch", "--quiet", "main"]);
    repository.write("old.c", "#include \"co.h\"\n");
    repository.commit("fix");
    repository.git(&["switch", "--quiet", "topic"]);
    repository.database();
    assert_eq!(repository.since("main"), [breach("topic.c", 4, "topic")]);
    // A merge of main into the topic brings what main has, which is not the topic's doing either.
    repository.git(&["switch", "--quiet", "main"]);
    repository.write("main.c", &breaking("main_does"));
    repository.commit("main");
    repository.git(&["switch", "--quiet", "topic"]);
    repository.git(&["merge", "--quiet", "main"]);
    repository.database();
    assert_eq!(repository.check(&[]).findings.len(), 2);
    assert_eq!(repository.since("main"), [breach("topic.c", 4, "topic")]);
}

#[test]
fn a_comment_that_is_taken_away_brings_the_finding() {
    let allowed = breaking("f").replace("drain();", "drain(); /* cowrap: allow(coroutine-call) only a test */");
    let repository = Repository::new(&[("f.c", &allowed)]);
    assert_eq!(repository.check(&[]).findings, [] as [&str; 0]);
    repository.write("f.c", &breaking("f"));
    assert_eq!(repository.since("HEAD"), [breach("f.c", 4, "f")]);
}

#[test]
fn what_could_not_be_read_before_is_told_by_lines() {
    let repository = Repository::new(&[
        ("f.c", "#include \"co.h\"\nvoid f(void);\nvoid f(void) {\n    drain(\n}\n"),
        ("g.c", &breaking("g")),
    ]);
    repository.write("f.c", &breaking("f"));
    let said = repository.check(&["--diff-base", "HEAD"]);
    assert_eq!(said.findings, [breach("f.c", 4, "f")]);
    assert!(said.rest.contains("by changed lines only, because the old state of f.c cannot be read"), "{said:?}");
    assert!(said.rest.contains("1 finding on other lines not shown"), "{said:?}");
}

// --- what is staged ---------------------------------------------------------------------------------------------

#[test]
fn what_is_staged_is_checked_whatever_is_on_the_disk() {
    let repository = Repository::new(&[("f.c", "#include \"co.h\"\n"), ("g.c", &breaking("g"))]);
    repository.write("f.c", &breaking("f"));
    assert_eq!(repository.staged(), [] as [&str; 0], "it is not staged");
    repository.git(&["add", "f.c"]);
    assert_eq!(repository.staged(), [breach("f.c", 4, "f")]);
    let before = repository.read("f.c");
    // It is repaired on the disk, and the commit would not be.
    repository.write("f.c", "#include \"co.h\"\n\n\n\n");
    assert_eq!(repository.staged(), [breach("f.c", 4, "f")]);
    let said = repository.run(&["check", "-p", "build", "--staged"]);
    assert!(
        said.findings.iter().any(|line| line.contains("4 │     drain();")),
        "the excerpt is of what is staged: {said:?}"
    );
    // It cannot even be compiled on the disk.
    repository.write("f.c", "}");
    assert_eq!(repository.staged(), [breach("f.c", 4, "f")]);
    assert_eq!(repository.read("f.c"), "}", "nothing is touched");
    // It is not on the disk at all.
    std::fs::remove_file(repository.root().join("f.c")).unwrap();
    assert_eq!(repository.staged(), [breach("f.c", 4, "f")]);
    repository.write("f.c", &before);
    repository.git(&["commit", "--quiet", "--message", "broken"]);
    assert_eq!(repository.staged(), [] as [&str; 0], "it is in HEAD now");
}

#[test]
fn the_first_commit_is_all_new() {
    let repository = Repository::without_commit(&[("f.c", &breaking("f"))]);
    assert_eq!(repository.staged(), [] as [&str; 0]);
    repository.git(&["add", "--all"]);
    let said = repository.check(&["--staged"]);
    assert_eq!(said.findings, [breach("f.c", 4, "f")], "{said:?}");
}

#[test]
fn the_index_of_a_commit_counts() {
    // `git commit f.c` and `git commit --all` make an index of their own for their hooks.
    let mut repository = Repository::new(&[("f.c", "#include \"co.h\"\n"), ("g.c", "#include \"co.h\"\n")]);
    repository.write("f.c", &breaking("f"));
    repository.write("g.c", &breaking("g"));
    repository.git(&["add", "f.c"]);
    let index = repository.root().join(".git/index");
    let other = repository.root().join(".git/index.other");
    std::fs::copy(&index, &other).unwrap();
    repository.git(&["add", "g.c"]);
    std::fs::rename(&index, repository.root().join(".git/index.lock.mine")).unwrap();
    std::fs::rename(&other, &index).unwrap();
    assert_eq!(repository.staged(), [breach("f.c", 4, "f")]);
    repository.environment.insert("GIT_INDEX_FILE", PathBuf::from(".git/index.lock.mine"));
    repository.environment.insert("GIT_DIR", PathBuf::from(".git"));
    assert_eq!(repository.staged(), [breach("f.c", 4, "f"), breach("g.c", 4, "g")]);
}

#[test]
fn a_merge_that_is_not_done_is_told() {
    let repository = Repository::new(&[("f.c", "one\n")]);
    repository.git(&["switch", "--quiet", "--create", "topic"]);
    repository.write("f.c", "two\n");
    repository.commit("two");
    repository.git(&["switch", "--quiet", "main"]);
    repository.write("f.c", "three\n");
    repository.commit("three");
    let merge =
        Command::new("git").current_dir(repository.root()).args(["merge", "--quiet", "topic"]).output().unwrap();
    assert!(!merge.status.success());
    let said = repository.check(&["--staged"]);
    assert!(said.status == 2 && said.rest.contains("f.c is not merged yet"), "{said:?}");
}

#[test]
fn what_git_does_not_know_is_told() {
    let repository = Repository::new(&[("f.c", "#include \"co.h\"\n")]);
    for revision in ["nothing", "--output=x", "-h", "HEAD^{tree}", ""] {
        let said = repository.check(&[&format!("--diff-base={revision}")]);
        assert_eq!(said.status, 2, "{said:?}");
        assert!(said.rest.contains("no commit named") || revision.is_empty(), "{said:?}");
    }
    assert!(!repository.root().join("x").exists());
    std::fs::remove_dir_all(repository.root().join(".git")).unwrap();
    let said = repository.check(&["--staged"]);
    assert!(said.status == 2 && said.rest.contains("not in a git repository"), "{said:?}");
    repository.git(&["init", "--quiet", "--initial-branch=main"]);
    repository.commit("another");
    repository.git(&["switch", "--quiet", "--orphan", "other"]);
    repository.git(&["commit", "--quiet", "--allow-empty", "--message", "apart"]);
    repository.git(&["checkout", "--quiet", "main", "--", "."]);
    let said = repository.check(&["--diff-base", "main"]);
    assert!(said.status == 2 && said.rest.contains("have no commit in common"), "{said:?}");
}

// --- baselines --------------------------------------------------------------------------------------------------

#[test]
fn a_baseline_hides_what_is_known_and_shows_what_is_new() {
    let repository = Repository::new(&[("a.c", &breaking("a")), ("b.c", &breaking("b"))]);
    let said = repository.run(&["baseline", "-p", "build"]);
    assert!(said.status == 0 && said.rest.contains(".cowrap-baseline.json: 2 findings"), "{said:?}");
    let said = repository.check(&["--ratchet"]);
    assert_eq!((said.status, said.findings.len()), (0, 0), "{said:?}");
    assert!(said.rest.contains("baseline .cowrap-baseline.json: 2 known findings not shown"), "{said:?}");
    repository.write("a.c", &format!("\n\n{}", breaking("a")));
    repository.write("c.c", &breaking("c"));
    repository.database();
    let said = repository.check(&["--ratchet"]);
    assert_eq!((said.status, said.findings), (1, vec![breach("c.c", 4, "c")]));
    assert_eq!(repository.check(&["--no-baseline"]).findings.len(), 3);
    // Where there is none, and where it is none.
    let said = repository.check(&["--baseline", "none.json"]);
    assert!(said.status == 2 && said.rest.contains("cannot read the baseline"), "{said:?}");
    let said = repository.check(&["--baseline", "a.c"]);
    assert!(said.status == 2 && said.rest.contains("a.c:1: not a cowrap baseline"), "{said:?}");
}

#[test]
fn a_baseline_can_only_get_shorter() {
    let repository = Repository::new(&[("a.c", &breaking("a")), ("b.c", &breaking("b"))]);
    repository.run(&["baseline", "-p", "build"]);
    repository.write("a.c", "#include \"co.h\"\n");
    let stale = ".cowrap-baseline.json:2:1: warning: baseline entry matches no finding: `coroutine-call` in a.c, function `a` \
                 [stale-baseline]";
    let said = repository.check(&[]);
    assert_eq!((said.status, said.findings), (0, vec![stale.to_owned()]));
    let said = repository.check(&["--ratchet"]);
    assert_eq!((said.status, said.findings), (1, vec![stale.replace("warning", "error")]));
    // Of other files nothing is told when only some are asked for; nor when something was not read.
    assert_eq!(repository.check(&["--ratchet", "b.c"]).findings, [] as [&str; 0]);
    assert_eq!(repository.check(&["--ratchet", "a.c"]).findings.len(), 1);
    assert_eq!(repository.check(&["--ratchet", "--only", "b.c"]).findings, [] as [&str; 0]);
    repository.write("a.c", "}");
    let said = repository.check(&["--ratchet", "--allow-incomplete"]);
    assert!(!said.findings.iter().any(|line| line.contains("stale-baseline")), "{said:?}");
    let said = repository.run(&["baseline", "-p", "build"]);
    assert!(said.status == 2 && said.rest.contains("1 of 2 translation units cannot be read"), "{said:?}");
    let said = repository.run(&["baseline", "-p", "build", "--allow-incomplete"]);
    assert!(said.status == 0 && said.rest.contains(".cowrap-baseline.json: 1 finding"), "{said:?}");
    repository.write("a.c", "#include \"co.h\"\n");
    repository.run(&["baseline", "-p", "build"]);
    assert_eq!(repository.check(&["--ratchet"]).status, 0);
    assert_eq!(repository.read(".cowrap-baseline.json").lines().count(), 3);
}

/// A baseline of version 1 with a finding for each of these files and functions; its fingerprints are worth nothing.
fn previous_baseline(entries: &[(&str, &str)]) -> String {
    let mut text = "[{\"cowrap-baseline\":1}\n".to_owned();
    for (number, (file, function)) in entries.iter().enumerate() {
        text += &format!(
            ",{{\"path\":\"{file}\",\"rule\":\"coroutine-call\",\"function\":\"{function}\",\"message\":\"as it was \
             worded\",\"fingerprint\":\"{number:032x}\"}}\n"
        );
    }
    text + "]\n"
}

#[test]
fn a_baseline_of_the_previous_version_is_rewritten_when_nothing_of_it_is_lost() {
    const FILE: &str = ".cowrap-baseline.json";
    let files = [("a.c", &*breaking("a")), ("b.c", &*breaking("b")), ("c.c", &*breaking("c"))];
    let repository = Repository::new(&files);
    let known = previous_baseline(&[("a.c", "a"), ("b.c", "b")]);
    repository.write(FILE, &known);
    // A commit hook must not change files.
    repository.git(&["add", "--all"]);
    let said = repository.check(&["--staged"]);
    assert!(said.rest.contains("was not rewritten"), "{said:?}");
    assert_eq!(repository.read(FILE), known);
    let said = repository.check(&["--ratchet"]);
    assert_eq!((said.status, &said.findings), (1, &vec![breach("c.c", 4, "c")]));
    assert!(said.rest.contains("it was rewritten; review and commit it"), "{said:?}");
    // It has what the old one had, and no more.
    let rewritten = repository.read(FILE);
    assert!(rewritten.starts_with("[{\"cowrap-baseline\":2}\n") && rewritten.lines().count() == 4, "{rewritten}");
    let said = repository.check(&["--ratchet"]);
    assert_eq!((said.status, &said.findings), (1, &vec![breach("c.c", 4, "c")]));
    assert!(!said.rest.contains("previous baseline format"), "once is enough: {said:?}");
    // An entry that nothing matches would be lost: somebody has to look at it.
    let known = previous_baseline(&[("a.c", "a"), ("b.c", "b"), ("c.c", "gone")]);
    repository.write(FILE, &known);
    let said = repository.check(&["--ratchet"]);
    assert_eq!((said.status, said.findings.len()), (1, 2), "{said:?}");
    assert!(said.rest.contains("was not rewritten"), "{said:?}");
    assert_eq!(repository.read(FILE), known);
    assert_eq!(repository.run(&["baseline", "-p", "build"]).status, 0);
    let said = repository.check(&["--ratchet"]);
    assert!(said.status == 0 && !said.rest.contains("previous baseline format"), "{said:?}");
}

#[test]
fn a_link_that_becomes_a_file_is_another_file() {
    let repository = Repository::without_commit(&[("real/a.c", "#include \"co.h\"\n")]);
    std::os::unix::fs::symlink("real/a.c", repository.root().join("a.c")).unwrap();
    repository.database();
    repository.commit("first");
    assert_eq!(repository.check(&[]).findings, [] as [&str; 0]);
    std::fs::remove_file(repository.root().join("a.c")).unwrap();
    repository.write("a.c", &breaking("z"));
    assert_eq!(repository.check(&[]).findings, [breach("a.c", 4, "z")], "it is not remembered as what it was");
    assert_eq!(repository.check(&["--diff-base", "HEAD"]).findings, [breach("a.c", 4, "z")]);
    // And a link that leads elsewhere.
    repository.write("real/b.c", &breaking("b"));
    std::fs::remove_file(repository.root().join("a.c")).unwrap();
    std::os::unix::fs::symlink("real/b.c", repository.root().join("a.c")).unwrap();
    assert_eq!(repository.check(&[]).findings, [breach("real/b.c", 4, "b")]);
}

#[test]
fn a_baseline_takes_no_other_files_place() {
    let repository = Repository::new(&[("a.c", &breaking("a"))]);
    repository.write("cowrap.toml", "baseline = \"precious.txt\"\n");
    repository.write("precious.txt", "mine");
    let said = repository.run(&["baseline", "-p", "build"]);
    assert!(said.status == 2 && said.rest.contains("is not a baseline and will not be overwritten"), "{said:?}");
    assert_eq!(repository.read("precious.txt"), "mine");
    repository.write("precious.txt", "");
    assert_eq!(repository.run(&["baseline", "-p", "build"]).status, 0);
    assert_eq!(repository.run(&["baseline", "-p", "build"]).status, 0);
}

#[test]
fn what_is_no_file_is_told() {
    let repository = Repository::new(&[("a.c", "#include \"co.h\"\n")]);
    for name in [".cowrap-baseline.json", "cowrap.toml"] {
        std::fs::create_dir(repository.root().join(name)).unwrap();
        let said = repository.check(&[]);
        assert!(said.status == 2 && said.rest.contains("not a regular file"), "{said:?}");
        std::fs::remove_dir(repository.root().join(name)).unwrap();
    }
}

#[test]
fn what_was_not_read_is_not_gone() {
    let allowed = breaking("c").replace("drain();", "drain(); /* cowrap: allow(coroutine-call) why not */");
    let files =
        [("a.c", breaking("a")), ("b.c", breaking("b")), ("c.c", allowed), ("d.c", "#include <no.h>\n".to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repository = Repository::new(&files);
    // The tree itself says what is no part of it.
    repository.write("cowrap.toml", "exclude = [\"d.c\"]\n");
    repository.run(&["baseline", "-p", "build"]);
    assert_eq!(repository.check(&["--ratchet"]).status, 0);
    // An index knows that it is one of a part, however it was made.
    let clean = |arguments: &[&str]| {
        let said = repository.run(&[&["check", "--format", "short", "--ratchet"], arguments].concat());
        assert_eq!((said.status, said.findings.clone()), (0, vec![]), "{said:?}");
    };
    let done = |arguments: &[&str]| assert_eq!(repository.run(arguments).status, 0);
    done(&["index", "-p", "build", "--only", "a.c", "-o", "part.index"]);
    clean(&["--index", "part.index"]);
    for shard in ["1/2", "2/2"] {
        let file = format!("build/{}.facts", &shard[..1]);
        done(&["index", "-p", "build", "--only", "[ac].c", "--shard", shard, "-o", &file]);
    }
    done(&["link", "build/1.facts", "build/2.facts", "-o", "part.index"]);
    clean(&["--index", "part.index"]);
    // One of all is one of all.
    done(&["index", "-p", "build", "-o", "whole.index"]);
    clean(&["--index", "whole.index"]);
    repository.write("a.c", "#include \"co.h\"\n");
    repository.write("c.c", &breaking("c").replace("drain();", "/* cowrap: allow(coroutine-call) why not */"));
    done(&["index", "-p", "build", "-o", "whole.index"]);
    let said = repository.run(&["check", "--format", "short", "--ratchet", "--index", "whole.index"]);
    let rules: Vec<bool> = ["stale-baseline", "unused-suppression"]
        .map(|rule| said.findings.iter().any(|line| line.contains(rule)))
        .into();
    assert_eq!((said.findings.len(), rules), (2, vec![true, true]), "{said:?}");
}

#[test]
fn changed_files_that_no_unit_reads_are_told() {
    let repository = Repository::new(&[("a.c", "#include \"co.h\"\n")]);
    repository.write("new.c", &breaking("new"));
    repository.write("new.md", "text");
    repository.git(&["add", "--all"]);
    let said = repository.check(&["--staged"]);
    assert_eq!((said.status, said.findings.len()), (0, 0));
    assert!(said.rest.contains("changed, but not checked (no translation unit includes it): new.c\n"), "{said:?}");
    // And the other way around: the build knows a file that is not there any more.
    repository.database();
    repository.git(&["rm", "--quiet", "--force", "new.c"]);
    let said = repository.check(&["--staged"]);
    assert!(
        said.status == 2 && said.rest.contains("configure the build again: the compilation database names"),
        "{said:?}"
    );
}

#[test]
fn findings_stay_known_when_git_moved_their_file() {
    let repository = Repository::new(&[("a.c", &breaking("a")), ("b.c", &breaking("b"))]);
    repository.run(&["baseline", "-p", "build"]);
    repository.commit("baseline");
    repository.git(&["mv", "a.c", "moved.c"]);
    repository.database();
    let clean = || {
        repository.database();
        let said = repository.check(&["--ratchet"]);
        assert_eq!((said.status, said.findings), (0, vec![]));
    };
    clean();
    repository.commit("moved");
    clean();
    std::fs::create_dir(repository.root().join("dir")).unwrap();
    repository.git(&["mv", "moved.c", "dir/again.c"]);
    repository.commit("moved again");
    repository.write("other.c", "#include \"co.h\"\n");
    repository.commit("another");
    clean();
    // What is gone is gone.
    repository.git(&["rm", "--quiet", "b.c"]);
    repository.commit("gone");
    repository.database();
    assert_eq!(repository.check(&["--ratchet"]).status, 1);
}

#[test]
fn branches_merge_their_baselines() {
    let files: Vec<(String, String)> =
        (0..12).map(|number| (format!("f{number:02}.c"), breaking(&format!("f{number}")))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let repository = Repository::new(&files);
    repository.run(&["baseline", "-p", "build"]);
    repository.commit("baseline");
    let fix = |branch: &str, file: &str| {
        repository.git(&["switch", "--quiet", "--create", branch, "main"]);
        repository.write(file, "#include \"co.h\"\n");
        repository.run(&["baseline", "-p", "build"]);
        repository.commit(branch);
    };
    fix("one", "f02.c");
    fix("two", "f09.c");
    fix("last", "f11.c");
    repository.git(&["merge", "--quiet", "one", "--message", "merge"]);
    repository.git(&["merge", "--quiet", "two", "--message", "merge"]);
    let said = repository.check(&["--ratchet"]);
    assert_eq!((said.status, said.findings), (0, vec![]));
    let merged = repository.read(".cowrap-baseline.json");
    repository.run(&["baseline", "-p", "build"]);
    assert_eq!(repository.read(".cowrap-baseline.json"), merged);
}

// --- settings ---------------------------------------------------------------------------------------------------

#[test]
fn a_tree_says_how_it_wants_to_be_checked() {
    let repository =
        Repository::new(&[("a.c", &breaking("a")), ("sub/b.c", &breaking("b")), ("sub/c/d.c", &breaking("d"))]);
    repository.write(
        "cowrap.toml",
        "build = \"build\"\n[levels]\n\"sub/**\" = { coroutine-call = \"warning\" }\n\"sub/c/*\" = { coroutine-call = \"off\" }\n",
    );
    let said = repository.run(&["check", "--format", "short"]);
    let warning = breach("sub/b.c", 4, "b").replace("error", "warning");
    assert_eq!((said.status, said.findings), (1, vec![breach("a.c", 4, "a"), warning.clone()]));
    // From below, too; and remembered reports know what was asked for.
    repository.write("cowrap.toml", "build = \"build\"\npaths = [\"sub\"]\n[levels]\ncoroutine-call = \"warning\"\n");
    let said = repository.run(&["check", "--format", "short"]);
    assert_eq!((said.status, said.findings.len(), said.findings.contains(&warning)), (0, 2, true));
    assert_eq!(repository.run(&["check", "--format", "short", "a.c"]).findings.len(), 1);
    assert_eq!(repository.run(&["check", "--format", "short", "--no-config", "-p", "build"]).findings.len(), 3);
    repository.write("cowrap.toml", "build = \"build\"\nonly = [\"sub/*\"]\n");
    assert_eq!(repository.run(&["check", "--format", "short"]).findings, [breach("sub/b.c", 4, "b")]);
    repository.write("cowrap.toml", "build = \"build\"\n[[cut]]\ncaller = \"x\"\ncallee = \"y\"\nreason = \"z\"\n[[model]]\nfunctions = [\"drain\"]\neffect = \"either\"\nreason = \"w\"\n");
    let said = repository.run(&["check", "--format", "short"]);
    assert!(said.rest.contains("cut from `x` to `y` matches no call"), "{said:?}");
    repository.write("cowrap.toml", "bild = \"build\"\n");
    let said = repository.run(&["check"]);
    assert!(said.status == 2 && said.rest.contains("cowrap.toml:1: unknown field `bild`"), "{said:?}");
    assert!(said.rest.contains("did you mean `build`?"), "{said:?}");
}

#[test]
fn the_settings_in_force_are_told_with_their_origin() {
    let repository = Repository::new(&[("a.c", "")]);
    repository.write(
        "cowrap.toml",
        "\nbuild = \"build\"\n[levels]\n\"a/**\" = { mixed-call = \"off\" }\nmixed-call = \"note\"\n",
    );
    let said = repository.run(&["config", "--pack", "qemu-next"]);
    let text = said.findings.join("\n");
    for line in [
        "pack = \"qemu-next\"  # --pack",
        "/build\"  # cowrap.toml:2",
        "only = []  # default",
        "levels.\"a/**\".mixed-call = \"off\"  # cowrap.toml:4",
        "levels.mixed-call = \"note\"  # cowrap.toml:5",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn the_schema_in_the_documentation_is_the_one_that_is_printed() {
    let out = Command::new(env!("CARGO_BIN_EXE_cowrap")).args(["config", "--schema"]).output().unwrap();
    let printed = String::from_utf8(out.stdout).unwrap();
    let kept = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cowrap.schema.json")).unwrap();
    assert_eq!(printed, kept, "cowrap config --schema > docs/cowrap.schema.json");
}

#[test]
fn the_settings_name_what_generators_write() {
    let header =
        "#include \"co.h\"\nint coroutine_fn disk_co_read(int sector);\nint co_wrapper disk_read(int sector);\n";
    let repository = Repository::new(&[("include/disk.h", header), ("VERSION", "10.2.0\n")]);
    let said = repository.run(&["generate", "--all"]);
    assert_eq!(said.status, 2, "{said:?}");
    repository.write("cowrap.toml", "[[generator]]\ninputs = [\"include/disk.h\"]\noutput = \"build/gen.c\"\n");
    let said = repository.run(&["generate", "--all"]);
    assert!(!said.rest.contains("cannot read build/meson-info"), "{said:?}");
    assert!(!said.rest.contains("meson-info"), "{said:?}");
}
