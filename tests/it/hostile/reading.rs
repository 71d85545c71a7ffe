//! Only regular files are read, and only where the tree may name them.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A unit with a finding, which has a fix.
pub(super) const UNIT: &str = "\
#include \"co.h\"
static void unit_g(void) { drain(); }
void coroutine_fn unit_f(void);
void coroutine_fn unit_f(void) { unit_g(); }
";

/// The finding of `a.c`.
pub(super) const BREACH: &str =
    "a.c:2:28: error: `coroutine_fn` `drain` called from unmarked `unit_g` [coroutine-call]";

/// The finding of a file that has [`UNIT`] with another word in place of `unit`.
pub(super) fn breach(file: &str, word: &str) -> String {
    let column = 24 + word.len();
    BREACH.replace("a.c:2:28", &format!("{file}:2:{column}")).replace("unit_g", &format!("{word}_g"))
}

const HEADER: &str = "\
#ifndef CO_H
#define CO_H
#define coroutine_fn
#define coroutine_mixed_fn
#define no_coroutine_fn
void coroutine_fn drain(void);
#endif
";

/// A tree whose unit `a.c` has a finding, and what somebody else put into it.
pub(super) struct Hostile {
    scratch: TempDir,
    root: PathBuf,
}

/// What the program said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: i32,
    /// The lines about findings.
    pub(super) findings: Vec<String>,
    /// Both streams.
    pub(super) text: String,
}

impl Hostile {
    pub(super) fn new() -> Hostile {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap().join("tree");
        let tree = Hostile { scratch, root };
        tree.write("include/co.h", HEADER);
        tree.write("a.c", UNIT);
        tree.database();
        tree
    }

    /// A tree that is there.
    pub(super) fn at(root: PathBuf) -> Hostile {
        Hostile { scratch: tempfile::tempdir().unwrap(), root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn append(&self, path: &str, text: &str) {
        self.write(path, &(self.read(path) + text));
    }

    pub(super) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    pub(super) fn pipe(&self, path: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    pub(super) fn link(&self, target: &str, path: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// Makes each C file at the top a unit.
    pub(super) fn database(&self) {
        let names = std::fs::read_dir(&self.root).unwrap().map(|entry| entry.unwrap().file_name().into_string());
        let mut names: Vec<String> = names.map(Result::unwrap).filter(|name| name.ends_with(".c")).collect();
        names.sort();
        let entry = |name: &String| {
            serde_json::json!({ "directory": self.root, "file": name,
                "arguments": ["cc", "-Iinclude", "-I.", "-c", name] })
        };
        let entries: Vec<_> = names.iter().map(entry).collect();
        self.write("build/compile_commands.json", &serde_json::to_string(&entries).unwrap());
    }

    /// Runs cowrap in the tree. It must end within a minute, with little memory.
    pub(super) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, &[])
    }

    pub(super) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
        let (out, errors) = (self.scratch.path().join("out"), self.scratch.path().join("errors"));
        let file = |path: &Path| std::fs::File::create(path).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 6000000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_cowrap")]).args(arguments);
        command.current_dir(&self.root).env("COWRAP_CACHE", self.scratch.path().join("cache"));
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&errors)).process_group(0);
        let mut child = command.spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(60);
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > end => {
                    let group = format!("-{}", child.id());
                    Command::new("kill").args(["-KILL", "--", &group]).status().unwrap();
                    panic!("cowrap {arguments:?} does not end");
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let shown = |path: &Path| String::from_utf8(std::fs::read(path).unwrap()).unwrap();
        let (out, errors) = (shown(&out), shown(&errors));
        let findings = out.lines().filter(|line| line.contains(".c:") && line.ends_with(']'));
        let findings = findings.map(str::to_owned).collect();
        Said { status: status.code().unwrap_or(-1), findings, text: out + &errors }
    }

    pub(super) fn check(&self, arguments: &[&str]) -> Said {
        self.run(&[&["check", "-p", "build", "--format", "short"], arguments].concat())
    }
}
