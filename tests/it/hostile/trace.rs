//! What cowrap asks of the system while it reads hostile databases: it starts itself and git, and nothing else; it
//! writes where the user says, and nowhere else; it talks to nobody.
//!
//! strace watches. Without it these tests fail, since they would show nothing: `sh .ci/setup --tests` installs it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::differential::numbers::Numbers;

/// How many entries with random words a database has.
const RANDOM_ENTRIES: usize = 150;

/// The calls that are watched: those that start programs, that can write, and that reach others.
const CALLS: &str = "trace=execve,execveat,open,openat,openat2,creat,truncate,rename,renameat,renameat2,link,linkat,\
                     symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,mknod,mknodat,chmod,fchmodat,chown,\
                     fchownat,connect,bind,mount,ptrace";

/// Arguments that ask a compiler to load, run or write something. `@P` is a file that nobody may make.
const HOSTILE: &[&[&str]] = &[
    &["-fplugin=./evil.so"],
    &["-fpass-plugin=./evil.so"],
    &["-Xclang", "-load", "-Xclang", "./evil.so"],
    &["-Xclang", "-add-plugin", "-Xclang", "evil"],
    &["-mllvm", "-load=./evil.so"],
    &["-Wp,-load,./evil.so"],
    &["--config=./evil.cfg"],
    &["@evil.rsp"],
    &["@/etc/passwd"],
    &["-B./evil"],
    &["-specs=./evil"],
    &["-wrapper", "./evil"],
    &["-fuse-ld=./evil"],
    &["-no-integrated-as", "-B."],
    &["-fopenmp", "--offload-arch=native", "--nvptx-arch-tool=./evil"],
    &["-o", "@P"],
    &["-MD", "-MF", "@P"],
    &["-MMD", "-MT", "x", "-MJ", "@P"],
    &["-save-temps=obj", "-o", "@P"],
    &["--serialize-diagnostics", "@P"],
    &["-ftime-trace=@P"],
    &["-Wp,-MD,@P"],
    &["-Xclang", "-dependency-file", "-Xclang", "@P"],
    &["-dependency-dot=@P"],
    &["-ftest-coverage", "-fprofile-arcs", "-fprofile-dir=@P"],
    &["-fcrash-diagnostics-dir=@P"],
    &["-gen-reproducer=always"],
    &["-fmodules", "-fmodules-cache-path=@P"],
    &["-fmodules", "-fimplicit-module-maps", "-fmodule-map-file=evil.modulemap"],
    &["-Xclang", "-emit-pch", "-o", "@P"],
    &["-fsyntax-only", "-Xclang", "-ast-dump"],
    &["-include", "/dev/stdin"],
    &["-include", "/proc/self/environ"],
    &["-imacros", "/dev/zero"],
    &["-include-pch", "evil.pch"],
    &["-ivfsoverlay", "evil.yaml"],
    &["-isysroot", "/proc/self"],
    &["-fsanitize-ignorelist=/etc/passwd"],
    &["-fsanitize=address", "-fsanitize-blacklist=evil"],
    &["-E", "-o", "@P"],
    &["-S"],
    &["-index-store-path", "@P"],
    &["-cc1", "-o", "@P"],
    &["-###"],
    &["-pipe", "-v", "--version"],
    &["-DX=$(touch @P)", "`touch @P`", ";", "touch", "@P"],
    &["|", "sh", "-c", "touch @P", ">", "@P"],
];

/// A tree with a database, beside a cache, a place for temporary files, and one for outputs.
struct Tree {
    scratch: tempfile::TempDir,
}

impl Tree {
    fn new() -> Tree {
        let tree = Tree { scratch: tempfile::tempdir().expect("a directory") };
        for directory in ["tree/include", "cache", "tmp", "out", "home"] {
            std::fs::create_dir_all(tree.path(directory)).expect("a directory");
        }
        tree.write("include/co.h", "#define coroutine_fn\nvoid coroutine_fn co(void);\n");
        tree.write("error.c", "#include \"co.h\"\nvoid f(void);\nvoid f(void)\n{\n    co();\n}\n");
        for name in ["cc", "evil", "git", "ld", "as", "evil.so"] {
            tree.program(name);
        }
        tree.write("evil.rsp", "-fplugin=./evil.so -o pwned\n");
        tree.write("evil.cfg", "-fplugin=./evil.so\n");
        tree.write("evil.modulemap", "module evil { header \"include/co.h\" }\n");
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().canonicalize().expect("it is there").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path("tree").join(name), text).expect("a file");
    }

    /// A program that says that it was run.
    fn program(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt;
        self.write(name, "#!/bin/sh\ntouch \"$(dirname \"$0\")/pwned\"\nexit 1\n");
        let path = self.path("tree").join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    }

    /// A database of the arguments, each with a file of its own, and of a unit with a finding.
    fn database(&self, all: &[Vec<String>]) {
        let root = self.path("tree");
        let mut entries = vec![json!({ "directory": root, "file": "error.c", "command": "cc -Iinclude -c error.c" })];
        let pwned = root.join("pwned").display().to_string();
        for (number, arguments) in all.iter().enumerate() {
            let file = format!("unit{number}.c");
            self.write(&file, &format!("#include \"co.h\"\nint unit{number};\n"));
            let arguments: Vec<String> = arguments.iter().map(|argument| argument.replace("@P", &pwned)).collect();
            let compiler = ["./cc", "cc", "ccache ./evil", "/usr/bin/env"][number % 4];
            let mut words = vec![compiler.to_owned(), "-Iinclude".to_owned()];
            words.extend(arguments);
            words.extend(["-c".to_owned(), file.clone()]);
            entries.push(json!({ "directory": root, "file": file, "arguments": words, "output": pwned }));
        }
        self.write("compile_commands.json", &serde_json::to_string(&entries).expect("plain data"));
    }

    /// Runs cowrap with strace around it, and returns what it printed. The system calls must be harmless.
    fn traced(&self, arguments: &[&str]) -> String {
        let trace = self.path("home/trace");
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-qq", "-s", "4096", "-e", CALLS, "-e", "signal=none", "-o"]).arg(&trace);
        command.arg(env!("CARGO_BIN_EXE_cowrap")).args(arguments);
        command.current_dir(self.path("tree")).env("TMPDIR", self.path("tmp")).env("HOME", self.path("home"));
        command.env("COWRAP_CACHE", self.path("cache")).env_remove("XDG_CACHE_HOME");
        let output = command.output().unwrap_or_else(|error| {
            panic!("cannot run strace: {error}; without it nothing is shown here: install it (sh .ci/setup --tests)")
        });
        let text = std::fs::read_to_string(&trace).unwrap_or_default();
        assert!(text.contains("execve("), "strace traced nothing; may it use ptrace here? {output:?}");
        std::fs::remove_file(trace).expect("the trace");
        assert!(matches!(output.status.code(), Some(0..=2)), "{output:?}");
        let allowed = ["cache", "tmp", "out"].map(|name| self.path(name));
        let mut calls = 0;
        for line in whole_lines(&text) {
            let Some(call) = Call::parse(&line) else { continue };
            calls += 1;
            assert_eq!(call.problem(&self.path("tree"), &allowed), None, "{line}");
        }
        assert!(calls > 20, "{text}");
        assert!(!self.path("tree/pwned").exists());
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

/// The lines of a trace, without the numbers of processes. A call during which another process made one has two lines:
/// these are put together.
fn whole_lines(trace: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut lines = Vec::new();
    for line in trace.lines() {
        let (process, line) = line.split_once(' ').unwrap_or(("", line));
        let line = line.trim_start();
        if let Some(beginning) = line.strip_suffix(" <unfinished ...>") {
            begun.insert(process, beginning);
        } else if let Some((_, rest)) = line.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            lines.push(begun.remove(process).unwrap_or_default().to_owned() + rest);
        } else {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// A system call that succeeded.
#[derive(Debug)]
struct Call<'l> {
    name: &'l str,
    arguments: &'l str,
    /// What it returned, with the path of a file descriptor.
    returned: &'l str,
}

impl<'l> Call<'l> {
    /// Parses `name(arguments) = returned`. `None` for a call that failed, and for other lines.
    fn parse(line: &'l str) -> Option<Call<'l>> {
        let (head, returned) = line.rsplit_once(" = ")?;
        if returned.starts_with('-') || returned.starts_with('?') {
            return None;
        }
        let (name, arguments) = head.split_once('(')?;
        Some(Call { name, arguments, returned })
    }

    /// What is wrong with the call, if something is.
    fn problem(&self, working_directory: &Path, allowed: &[PathBuf]) -> Option<String> {
        let is_allowed = |path: &Path| allowed.iter().any(|directory| path.starts_with(directory)) || is_sink(path);
        match self.name {
            "execve" | "execveat" => {
                let program = self.strings().first().cloned().unwrap_or_default();
                let name = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned());
                let own = [env!("CARGO_BIN_EXE_cowrap"), "/proc/self/exe"].contains(&program.as_str());
                let is_git = program.starts_with("/usr/") && name.is_some_and(|name| name.starts_with("git"));
                (!own && !is_git).then(|| format!("starts {program}"))
            }
            "open" | "openat" | "openat2" | "creat" => {
                let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"];
                let writes = self.name == "creat" || writes.iter().any(|flag| self.arguments.contains(flag));
                let (_, path) = self.returned.split_once('<')?;
                let path = path.rsplit_once('>').map_or(path, |(path, _)| path);
                // Devices have numbers, and files that are gone have a note.
                let path = path.split("<char").next().unwrap_or(path).trim_end_matches("(deleted)");
                (writes && !is_allowed(Path::new(path))).then(|| format!("opens {path} for writing"))
            }
            "connect" | "bind" | "mount" | "ptrace" => Some(format!("calls {}", self.name)),
            _ => {
                let paths = self.paths(working_directory);
                let wrong = paths.iter().find(|path| !is_allowed(path));
                wrong.map(|path| format!("{} changes {}", self.name, path.display()))
            }
        }
    }

    /// The strings among the arguments.
    fn strings(&self) -> Vec<String> {
        self.arguments.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }

    /// The paths among the arguments, which are relative to the descriptor before them.
    fn paths(&self, working_directory: &Path) -> Vec<PathBuf> {
        let pieces: Vec<&str> = self.arguments.split('"').collect();
        let paths = pieces.chunks(2).filter_map(|pair| {
            let [before, path] = pair else { return None };
            let directory = before.rsplit_once('<').and_then(|(_, rest)| Some(rest.split_once('>')?.0));
            let directory = directory.map_or(working_directory, Path::new);
            Some(directory.join(path))
        });
        // A link's target is a text.
        let skipped = usize::from(self.name.starts_with("symlink"));
        paths.skip(skipped).collect()
    }
}

/// Whether writing there writes nothing, or to whoever started cowrap.
fn is_sink(path: &Path) -> bool {
    path.starts_with("/proc/self/fd") || ["/dev/null", "/dev/tty"].iter().any(|sink| path == Path::new(sink))
}

#[test]
fn hostile_databases_start_no_program_and_write_nothing_outside() {
    let tree = Tree::new();
    let mut all: Vec<Vec<String>> =
        HOSTILE.iter().map(|words| words.iter().map(|word| word.to_string()).collect()).collect();
    let mut words: Vec<&str> = HOSTILE.iter().flat_map(|words| words.iter().copied()).collect();
    words.extend(["-x", "c", "-D", "-I", "-include", "--"]);
    let mut numbers = Numbers::new(1);
    for _ in 0..RANDOM_ENTRIES {
        all.push((0..numbers.between(1, 6)).map(|_| numbers.pick(&words).to_string()).collect());
    }
    tree.database(&all);
    let report = tree.path("out/report.json");
    let said = tree.traced(&["check", "--format", "short", "--output", &format!("json={}", report.display())]);
    assert!(said.contains("error.c:5:5"), "{said}");
    let report: Value = serde_json::from_slice(&std::fs::read(report).expect("a report")).expect("JSON");
    let refused: BTreeSet<&str> =
        report["problems"].as_array().into_iter().flatten().filter_map(|problem| problem["file"].as_str()).collect();
    assert!(refused.len() > 20, "{refused:?}");
    // The cache is there now.
    let again = tree.traced(&["check", "--format", "short"]);
    assert!(again.contains("error.c:5:5"), "{again}");
}

#[test]
fn a_hostile_repository_starts_git_alone() {
    let tree = Tree::new();
    tree.database(&[]);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(tree.path("tree")).env("HOME", tree.path("home")).args(["-c", "user.name=x"]);
        command.args(["-c", "user.email=x", "-c", "core.hooksPath=/dev/null"]).args(arguments);
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "x"]);
    tree.write("error.c", "#include \"co.h\"\nvoid f(void);\nvoid f(void)\n{\n    co();\n    co();\n}\n");
    git(&["add", "error.c"]);
    tree.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    for (key, value) in [
        ("core.fsmonitor", "./evil"),
        ("core.hooksPath", "."),
        ("core.pager", "./evil"),
        ("core.sshCommand", "./evil"),
        ("core.editor", "./evil"),
        ("core.alternateRefsCommand", "./evil"),
        ("diff.external", "./evil"),
        ("diff.evil.command", "./evil"),
        ("diff.evil.textconv", "./evil"),
        ("filter.evil.clean", "./evil"),
        ("filter.evil.smudge", "./evil"),
        ("filter.evil.process", "./evil"),
        ("gpg.program", "./evil"),
        ("log.showSignature", "true"),
        ("credential.helper", "!./evil"),
        ("uploadpack.packObjectsHook", "./evil"),
        ("alias.diff", "!./evil"),
        ("alias.status", "!./evil"),
        ("trace2.normalTarget", "/dev/null"),
    ] {
        git(&["config", key, value]);
    }
    for arguments in [&["check", "--staged", "--format", "short"][..], &["check", "--diff-base", "HEAD"]] {
        let said = tree.traced(arguments);
        assert!(said.contains("error.c"), "{arguments:?}: {said}");
    }
}

/// What the two tests above must notice, and what they must not.
#[test]
fn traces_are_understood() {
    let (tree, allowed) = (Path::new("/t/tree"), ["/t/cache", "/t/tmp"].map(PathBuf::from));
    let problems = |trace: &str| -> Vec<String> {
        let lines = whole_lines(trace);
        lines.iter().filter_map(|line| Call::parse(line)?.problem(tree, &allowed)).collect()
    };
    for (trace, wrong) in [
        ("7 execve(\"/t/tree/cc\", [\"cc\"], 0x1 /* 3 vars */) = 0", "starts /t/tree/cc"),
        ("7 execve(\"/t/tree/git\", [\"git\"], 0x1 /* 3 vars */) = 0", "starts /t/tree/git"),
        ("7 execve(\"/bin/sh\", [\"sh\"], 0x1 <unfinished ...>\n8 x\n7 <... execve resumed>) = 0", "starts /bin/sh"),
        ("7 openat(AT_FDCWD</t/tree>, \"x\", O_WRONLY|O_CREAT, 0666) = 3</t/tree/x>", "opens /t/tree/x for writing"),
        ("7 openat(4</t/cache>, \"../x\", O_RDWR) = 3</t/x>", "opens /t/x for writing"),
        ("7 unlinkat(AT_FDCWD</t/tree>, \"a.c\", 0) = 0", "unlinkat changes /t/tree/a.c"),
        ("7 renameat(4</t/cache>, \"a\", 5</t/tree>, \"b\") = 0", "renameat changes /t/tree/b"),
        ("7 mkdir(\"/home/x\", 0777) = 0", "mkdir changes /home/x"),
        ("7 symlinkat(\"/t/cache/x\", 4</t/tree>, \"y\") = 0", "symlinkat changes /t/tree/y"),
        ("7 connect(3<socket:[1]>, {sa_family=AF_UNIX}, 110) = 0", "calls connect"),
    ] {
        assert_eq!(problems(trace), [wrong], "{trace}");
    }
    for trace in [
        "7 execve(\"/usr/bin/git\", [\"git\"], 0x1 /* 3 vars */) = 0",
        "7 execve(\"/t/tree/cc\", [\"cc\"], 0x1 /* 3 vars */) = -1 ENOENT (No such file or directory)",
        "7 openat(AT_FDCWD</t/tree>, \"a.c\", O_RDONLY|O_CLOEXEC) = 3</t/tree/a.c>",
        "7 openat(AT_FDCWD</t/tree>, \"/dev/null\", O_RDWR) = 3</dev/null<char 1:3>>",
        "7 openat(4</t/cache>, \"x\", O_WRONLY|O_CREAT, 0666) = 5</t/cache/x>",
        "7 openat(AT_FDCWD</t/tree>, \"/t/tmp\", O_RDWR|O_TMPFILE, 0600) = 5</t/tmp/#12 (deleted)>",
        "7 renameat(4</t/cache>, \"a\", 4</t/cache>, \"b\") = 0",
        "7 symlinkat(\"/t/tree/x\", 4</t/cache>, \"y\") = 0",
    ] {
        assert_eq!(problems(trace), Vec::<String>::new(), "{trace}");
    }
}
