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

// --- what is no regular file ------------------------------------------------------------------------------------

/// What somebody puts in place of a file, and how messages say it.
const KINDS: &[(&str, &str)] = &[
    ("pipe", "a pipe"),
    ("socket", "a socket"),
    ("device", "a device"),
    ("directory", "a directory"),
    ("kernel", "a file of the kernel"),
    ("too large", "has more than"),
];

impl Hostile {
    /// Puts something of a kind at a path.
    fn put(&self, kind: &str, path: &str) {
        let real = self.root.join(path);
        std::fs::create_dir_all(real.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(&real);
        match kind {
            "pipe" => self.pipe(path),
            // Its path would be too long.
            "socket" => {
                drop(std::os::unix::net::UnixListener::bind(self.scratch.path().join("s")).unwrap());
                std::fs::rename(self.scratch.path().join("s"), real).unwrap();
            }
            "device" => self.link("/dev/zero", path),
            "kernel" => self.link("/proc/self/environ", path),
            "directory" => std::fs::create_dir(real).unwrap(),
            // It has no blocks on the disk.
            "too large" => std::fs::File::create(real).unwrap().set_len(5 << 30).unwrap(),
            kind => panic!("{kind}"),
        }
    }
}

/// Files that the command line or the tree names, and the arguments that read them.
const INPUTS: &[(&str, &[&str])] = &[
    ("build/compile_commands.json", &["check", "-p", "build/compile_commands.json"]),
    ("build/meson-info/meson-info.json", &["check", "-p", "build"]),
    ("cowrap.toml", &["check", "-p", "build"]),
    ("other.toml", &["check", "-p", "build", "--config", "other.toml"]),
    ("pack.toml", &["check", "-p", "build", "--pack", "pack.toml"]),
    ("pack.toml", &["pack", "check", "pack.toml"]),
    (".cowrap-baseline.json", &["check", "-p", "build"]),
    ("base.json", &["check", "-p", "build", "--baseline", "base.json"]),
    ("tree.index", &["check", "--index", "tree.index"]),
    ("part.facts", &["link", "-o", "out.index", "part.facts"]),
    ("in.h", &["generate", "out.c", "in.h"]),
    ("build/meson-info/intro-targets.json", &["generate", "--all", "--build", "build"]),
    (".git/config", &["check", "-p", "build", "--staged"]),
];

#[test]
fn each_input_that_is_no_regular_file_is_named() {
    for (path, arguments) in INPUTS {
        for (kind, shown) in KINDS {
            let tree = Hostile::new();
            if path.starts_with(".git") {
                let made = Command::new("git").current_dir(tree.root()).args(["init", "--quiet"]).status();
                assert!(made.unwrap().success());
            }
            tree.put(kind, path);
            let said = tree.run(arguments);
            let name = path.rsplit('/').next().unwrap();
            // A directory in place of a database or of facts may have them.
            let is_searched = *kind == "directory" && ["compile_commands.json", "part.facts"].contains(&name);
            let is_told = said.text.contains(shown) || said.text.contains("outside of the tree") || is_searched;
            assert!(said.status == 2 && said.text.contains(name) && is_told, "{path}, {kind}: {said:?}");
            assert!(!said.text.contains("COWRAP_CACHE="), "{path}, {kind}: {said:?}");
        }
    }
}

#[test]
fn a_source_that_is_no_regular_file_costs_its_unit() {
    for (kind, _) in KINDS.iter().filter(|(kind, _)| *kind != "directory") {
        let tree = Hostile::new();
        tree.put(kind, "include/odd.h");
        tree.put(kind, "odd.c");
        tree.write("b.c", &format!("#include \"odd.h\"\n{}", UNIT.replace("unit", "b")));
        tree.database();
        let said = tree.check(&[]);
        assert_eq!(said.findings, [BREACH], "{kind}: {said:?}");
        assert!(said.status == 2 && said.text.contains("b.c") && said.text.contains("odd.c"), "{kind}: {said:?}");
        assert!(!said.text.contains("COWRAP_CACHE="), "{kind}: {said:?}");
    }
    // An empty header in the usual place of an unneeded one.
    let tree = Hostile::new();
    tree.link("/dev/null", "include/empty.h");
    tree.write("a.c", &format!("#include \"empty.h\"\n{UNIT}"));
    let said = tree.check(&[]);
    assert_eq!((said.status, said.findings.len()), (1, 1), "{said:?}");
}

// --- what the tree names elsewhere ------------------------------------------------------------------------------

/// A word in files that are not the tree's.
const SECRET: &str = "s3cret_w0rd";

/// A tree beside a file with a secret, to which the link `out` in the tree leads.
fn beside_a_secret(text: &str) -> Hostile {
    let tree = Hostile::new();
    std::fs::write(tree.scratch.path().join("secret"), text).unwrap();
    tree.link("../secret", "out");
    let made = Command::new("git").current_dir(tree.root()).args(["init", "--quiet"]).status();
    assert!(made.unwrap().success());
    tree
}

#[test]
fn settings_name_files_of_the_tree_only() {
    for named in ["../secret", "out", "/proc/self/environ"] {
        let tree = beside_a_secret(&format!("{SECRET} = 1\n"));
        for (key, option) in [("pack", "--pack"), ("baseline", "--baseline")] {
            tree.write("cowrap.toml", &format!("{key} = {named:?}\n"));
            let said = tree.run_with(&["check", "-p", "build"], &[("WORD", SECRET)]);
            let is_told = said.text.contains("outside of the tree") && said.text.contains(option);
            assert!(said.status == 2 && is_told, "{named}, {key}: {said:?}");
            assert!(!said.text.contains(SECRET), "{named}, {key}: {said:?}");
        }
        tree.write("cowrap.toml", &format!("[[generator]]\ninputs = [{named:?}]\noutput = \"out.c\"\n"));
        let said = tree.run(&["generate", "--all"]);
        assert!(said.status == 2 && said.text.contains("outside of the tree"), "{named}: {said:?}");
        tree.write("pack.toml", &format!("name = \"mine\"\nextends = {named:?}\n"));
        let said = tree.run(&["pack", "check", "pack.toml", "--no-config"]);
        assert!(said.status == 2 && said.text.contains("is outside of"), "{named}: {said:?}");
        assert!(!said.text.contains(SECRET), "{named}: {said:?}");
    }
    // What the user names too may be anywhere.
    let tree = Hostile::new();
    std::fs::write(tree.scratch.path().join("mine.toml"), "name = \"mine\"\nextends = \"qemu\"\n").unwrap();
    tree.write("cowrap.toml", "pack = \"../mine.toml\"\n");
    assert_eq!(tree.check(&[]).status, 2);
    let said = tree.check(&["--pack", "../mine.toml"]);
    assert_eq!((said.status, said.findings.len()), (1, 1), "{said:?}");
}

#[test]
fn no_message_quotes_a_file_that_a_link_leads_out_to() {
    let texts = [format!("{SECRET}\n"), format!("{SECRET} = 1\n"), format!("\"{SECRET}\""), format!("[\"{SECRET}\"]")];
    for text in texts {
        for (path, arguments) in INPUTS {
            let tree = beside_a_secret(&text);
            let _ = std::fs::remove_file(tree.root().join(path));
            let up = "../".repeat(path.matches('/').count());
            tree.link(&format!("{up}../secret"), path);
            let said = tree.run(arguments);
            // JSON of another form, or settings of git that say nothing.
            let is_harmless = path.ends_with("meson-info.json") || *path == ".git/config" || *path == "in.h";
            assert!(said.status == 2 || is_harmless, "{path}: {said:?}");
            // The text of a header that the user names is the input.
            assert!(!said.text.contains(SECRET) || *path == "in.h", "{path}: {said:?}");
        }
    }
}

#[test]
fn no_message_quotes_a_foreign_header() {
    let secrets = [
        format!("{SECRET}\n"),
        format!("int {SECRET}\n"),
        format!("enum e {{ {SECRET} }};\n"),
        format!("#error {SECRET}\n"),
    ];
    for text in secrets {
        let tree = beside_a_secret(&text);
        for name in ["../secret", "out", &tree.scratch.path().join("secret").display().to_string()] {
            let rest = "#pragma clang diagnostic error \"-Wswitch\"\nint f(void) { switch ((enum e)0) {} return x; }\n";
            tree.write("b.c", &format!("#include {name:?}\n{rest}"));
            tree.database();
            for format in ["human", "short", "json"] {
                let said = tree.run(&["check", "-p", "build", "--format", format, "--verbose"]);
                assert!(said.status == 2 && !said.text.contains(SECRET), "{name}: {said:?}");
                assert!(said.text.contains("a.c") && said.text.contains("outside of the tree"), "{name}: {said:?}");
            }
        }
    }
}

#[test]
fn no_message_has_values_of_an_embedded_file() {
    let tree = beside_a_secret("hunter");
    let error = "extern char q[1];\nextern char q[A];\n";
    let refused = ["#embed", "#/**/embed", "#em\\\nbed", "%:embed"];
    for directive in refused {
        tree.write("b.c", &format!("enum {{ A =\n{directive} \"../secret\" limit(1)\n}};\n{error}"));
        tree.database();
        let said = tree.check(&[]);
        assert!(said.status == 2 && !said.text.contains("104"), "{directive}: {said:?}");
        assert!(said.text.contains("b.c") && said.text.contains("is not quoted"), "{directive}: {said:?}");
    }
    // Others are quoted.
    tree.write("b.c", &format!("/* #embed */ enum {{ A = 104 /* embed */ }};\n{error}"));
    let said = tree.check(&[]);
    assert!(said.status == 2 && said.text.contains("104"), "{said:?}");
}

// --- what a line of a log can be --------------------------------------------------------------------------------

#[test]
fn no_line_is_a_command_to_a_service() {
    let name = "b\n::error file=x::y\n##vso[task.x]\u{1b}[31m.c";
    let tree = Hostile::new();
    tree.write(name, "#include \"co.h\"\nvoid b(void) { drain(); /* ##vso[task.setvariable] */ }\n#error ::error::z\n");
    let unit = "#pragma clang __debug dump x\n__attribute__((annotate(\"\\n::error::a\"))) int x;\n";
    tree.write("::error::c.c", &format!("{unit}{UNIT}"));
    tree.write("d\n::error::d.c", &UNIT.replace("unit", "d"));
    tree.database();
    let other = format!("::error::n\n::error::n{name}");
    let runs: [&[&str]; 10] = [
        &["check", "-p", "build"],
        &["check", "-p", "build", "--format", "short", "--verbose"],
        &["check", "-p", "build", "--format", "json"],
        &["check", "-p", "build", "--format", "sarif"],
        &["check", "-p", "build", "--format", "junit"],
        &["check", "-p", "build", "--format", "html"],
        &["check", "-p", &other],
        &["check", "-p", "build", "--pack", &other],
        &["check", "-p", "build", "--config", &other],
        &["fix", "-p", "build", "--allow-incomplete"],
    ];
    for arguments in runs {
        let said = tree.run(arguments);
        let is_command = |line: &str| line.trim_start().starts_with("::") || line.contains("##vso[");
        assert!(!said.text.lines().any(is_command), "{arguments:?}: {}", said.text);
        assert!(!said.text.contains('\u{1b}'), "{arguments:?}: {}", said.text);
    }
}

// --- what caches depend on --------------------------------------------------------------------------------------

#[test]
fn a_cache_knows_the_environment() {
    let tree = Hostile::new();
    tree.write("shadow/found.h", "int found;\n");
    tree.write("b.c", "#if __has_include(<found.h>)\n#error found\n#endif\n");
    tree.write("c.c", "int c[__DATE__[10] == '0' ? -1 : 1];\n");
    tree.database();
    let shadow = tree.root().join("shadow").display().to_string();
    let variables = [("CPATH", shadow.as_str()), ("C_INCLUDE_PATH", &shadow), ("SOURCE_DATE_EPOCH", "0")];
    let plain = |said: &Said| (said.status, said.text.contains("not checked"));
    std::thread::sleep(Duration::from_millis(40));
    for _ in 0..2 {
        assert_eq!(plain(&tree.check(&[])), (1, false));
    }
    for variable in variables {
        // 1970 ends with a zero, and a header is found.
        let said = tree.run_with(&["check", "-p", "build", "--format", "short"], &[variable]);
        assert_eq!(plain(&said), (2, true), "{variable:?}: {said:?}");
        assert_eq!(plain(&tree.check(&[])), (1, false), "{variable:?}");
    }
}
