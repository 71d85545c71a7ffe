//! `cowrap watch`: what it prints when files of a tree change.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::support::copies::Copy;

/// How long something may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long nothing must be printed to show that nothing will be.
const SILENCE: Duration = Duration::from_millis(1500);

/// A running `cowrap watch`.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    /// Starts it and waits for the first report, which is the second part of the result.
    fn start(tree: &Copy, arguments: &[&str]) -> (Watching, String) {
        let mut watching = Watching::launch(tree, arguments);
        let report = watching.until("errors, ");
        (watching, report)
    }

    fn launch(tree: &Copy, arguments: &[&str]) -> Watching {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cowrap"));
        command.arg("watch").args(arguments).current_dir(&tree.root);
        command.arg("--cache-dir").arg(tree.beside("cache"));
        Watching::spawn(command)
    }

    fn spawn(mut command: Command) -> Watching {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (line, lines) = mpsc::channel();
        pass_on(child.stdout.take().unwrap(), line.clone());
        pass_on(child.stderr.take().unwrap(), line);
        Watching { child, lines }
    }

    /// What is printed until a line has a text, with that line.
    fn until(&mut self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut printed = String::new();
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    printed.push_str(&line);
                    if line.contains(text) {
                        return printed;
                    }
                }
                Err(error) => panic!("waited for {text:?}: {error}\n{printed}"),
            }
        }
    }

    /// What is printed on one change, and nothing after it.
    fn change(&mut self) -> String {
        let printed = self.until(" notes");
        self.assert_silent();
        printed
    }

    fn assert_silent(&self) {
        assert_eq!(self.lines.recv_timeout(SILENCE), Err(RecvTimeoutError::Timeout));
    }

    /// Sends a signal, and gives the exit status.
    fn end(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.status()
    }

    fn status(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes on the lines of a stream.
fn pass_on(stream: impl Read + Send + 'static, line: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut text = String::new();
        while stream.read_line(&mut text).is_ok_and(|length| length > 0) {
            if line.send(std::mem::take(&mut text)).is_err() {
                return;
            }
        }
    });
}

/// What `cowrap check` reports on a tree, in short.
fn fresh_check(tree: &Copy) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cowrap"))
        .args(["check", "--format", "short", "--no-cache"])
        .current_dir(&tree.root)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A slot with a mark, in `block_int.h`, and the same without.
const MARKED: &str = "int64_t coroutine_fn (*bdrv_co_getlength)";
const UNMARKED: &str = "int64_t (*bdrv_co_getlength)";

#[test]
fn what_appears_and_what_is_gone_is_printed_after_each_save() {
    let tree = Copy::of_miniblock();
    let (mut watching, report) = Watching::start(&tree, &["--format", "short"]);
    assert!(report.contains(&format!("cowrap: watching {}; Ctrl-C ends\n", tree.root.display())), "{report}");
    let reported = report.lines().filter(|line| !line.contains("watching")).map(|line| format!("{line}\n"));
    assert_eq!(reported.collect::<String>(), fresh_check(&tree));
    watching.assert_silent();

    // A mark in a header: calls elsewhere are not wrong any more, and others are.
    tree.replace("include/block/block_int.h", MARKED, UNMARKED);
    let printed = watching.change();
    assert!(printed.contains("\ngone: mini-img.c:41:12: error: call through `coroutine_fn` "), "{printed}");
    assert!(printed.contains("\nblock/raw.c:"), "{printed}");
    let after = fresh_check(&tree);
    for line in printed.lines().filter(|line| line.ends_with(']')) {
        assert_eq!(after.contains(line), !line.starts_with("gone: "), "{line}");
    }
    let counts = |text: &str| text.lines().last().unwrap_or_default().to_owned();
    assert_eq!(counts(&printed), counts(&after));

    // And back.
    tree.replace("include/block/block_int.h", UNMARKED, MARKED);
    let back = watching.change();
    let changed = |text: &str, is_gone: bool| {
        let lines = text.lines().filter(|line| line.ends_with(']') && line.starts_with("gone: ") == is_gone);
        let mut lines: Vec<String> = lines.map(|line| line.trim_start_matches("gone: ").to_owned()).collect();
        lines.sort();
        lines
    };
    assert_eq!(changed(&back, false), changed(&printed, true));
    assert_eq!(changed(&back, true), changed(&printed, false));
    assert_eq!(watching.end("-INT"), Some(0));
}

#[test]
fn what_changes_nothing_is_not_mentioned() {
    let tree = Copy::of_miniblock();
    let (mut watching, _) = Watching::start(&tree, &[]);
    tree.replace("mini-img.c", "teaches what a comment does", "teaches what comments do");
    std::fs::write(tree.root.join("unrelated.txt"), "text\n").unwrap();
    watching.assert_silent();
    // It still watches.
    tree.replace("mini-img.c", "return bdrv_co_flush(bs); /*", "return bdrv_flush(bs); /*");
    let printed = watching.change();
    assert!(printed.contains(" UTC: 0 findings appeared, 1 gone\n"), "{printed}");
    assert_eq!(watching.end("-TERM"), None, "a signal that does not come from the user");
}

#[test]
fn for_people_what_appeared_has_its_source() {
    let tree = Copy::of_miniblock();
    let (mut watching, report) = Watching::start(&tree, &["mini-img.c"]);
    assert!(report.contains("error[coroutine-call]") && !report.contains("┌─ job.c"), "{report}");
    tree.replace("mini-img.c", "return bdrv_flush(to);", "return bdrv_co_flush(to);");
    let printed = watching.change();
    assert!(printed.contains(" UTC: 1 finding appeared, 0 gone\n"), "{printed}");
    assert!(printed.contains("│     return bdrv_co_flush(to);"), "{printed}");
    assert!(printed.contains("= help: call the wrapper `bdrv_flush` instead of `bdrv_co_flush`"), "{printed}");
}

#[test]
fn a_half_written_file_is_a_problem_and_its_findings_are_not_gone() {
    let tree = Copy::of_miniblock();
    let (mut watching, _) = Watching::start(&tree, &["--format", "short"]);
    tree.replace("mini-img.c", "return bdrv_co_flush(bs); /*", "return bdrv_co_flush(bs; /*");
    let printed = watching.change();
    assert!(printed.contains(" UTC: 1 problem appeared, 0 gone\n"), "{printed}");
    assert!(printed.contains("mini-img.c:36:28: not checked: expected ')'"), "{printed}");
    assert!(printed.ends_with(", 1 translation unit not checked\n") && !printed.contains("gone: "), "{printed}");
    tree.replace("mini-img.c", "return bdrv_co_flush(bs; /*", "return bdrv_flush(bs); /*");
    let printed = watching.change();
    assert!(printed.contains(" UTC: 0 findings appeared, 1 gone; 0 problems appeared, 1 gone\n"), "{printed}");
    assert!(printed.contains("gone: mini-img.c:36:12: error: `coroutine_fn` `bdrv_co_flush`"), "{printed}");
    assert!(printed.contains("gone: mini-img.c:36:28: not checked: expected ')'"), "{printed}");
}

#[test]
fn a_header_that_comes_and_goes_is_noticed() {
    let tree = Copy::of_miniblock();
    let (mut watching, _) = Watching::start(&tree, &["--format", "short"]);
    tree.replace("mini-img.c", "static int img_sync(", "#include \"new/inner.h\"\nstatic int img_sync(");
    assert!(watching.change().contains("'new/inner.h' file not found"));
    std::fs::create_dir_all(tree.root.join("include/new")).unwrap();
    std::fs::write(tree.root.join("include/new/inner.h"), "void coroutine_fn of_inner(void);\n").unwrap();
    let printed = watching.until("problems appeared, 1 gone");
    assert!(!printed.contains("file not found"), "{printed}");
    std::fs::remove_dir_all(tree.root.join("include/new")).unwrap();
    watching.until("'new/inner.h' file not found");
}

#[test]
fn settings_baseline_and_database_are_read_again() {
    let tree = Copy::of_miniblock();
    let (mut watching, report) = Watching::start(&tree, &["--format", "short"]);
    let findings = report.lines().filter(|line| line.ends_with(']')).count();

    std::fs::write(tree.root.join("cowrap.toml"), "[levels]\ncoroutine-call = \"off\"\n").unwrap();
    let printed = watching.change();
    let calls = report.matches("[coroutine-call]").count();
    assert!(calls > 3 && printed.contains(&format!(" appeared, {calls} gone\n")), "{printed}");
    // Half-written, which is an error, and it goes on.
    std::fs::write(tree.root.join("cowrap.toml"), "[levels]\ncoroutine-call = \n").unwrap();
    watching.until("cowrap: error: ");
    std::fs::remove_file(tree.root.join("cowrap.toml")).unwrap();
    watching.until(&format!("{calls} findings appeared, 0 gone"));
    watching.until(" notes");

    let baseline = Command::new(env!("CARGO_BIN_EXE_cowrap"))
        .args(["baseline", "--no-cache"])
        .current_dir(&tree.root)
        .output()
        .unwrap();
    assert!(baseline.status.success(), "{baseline:?}");
    let printed = watching.change();
    assert!(printed.contains(&format!(" UTC: 0 findings appeared, {findings} gone\n")), "{printed}");
    std::fs::remove_file(tree.root.join(".cowrap-baseline.json")).unwrap();
    watching.until(&format!("{findings} findings appeared, 0 gone"));
    watching.until(" notes");

    let database = tree.root.join("compile_commands.json");
    let whole = std::fs::read_to_string(&database).unwrap();
    std::fs::write(&database, &whole[..whole.len() / 2]).unwrap();
    watching.until("not a compilation database");
    let mut entries: Vec<serde_json::Value> = serde_json::from_str(&whole).unwrap();
    entries.retain(|entry| entry["file"] != "mini-img.c");
    std::fs::write(&database, serde_json::to_string(&entries).unwrap()).unwrap();
    let printed = watching.change();
    assert!(printed.contains("gone: mini-img.c:36:12: "), "{printed}");
    // The same as before the error: somebody waits for this.
    std::fs::write(&database, "[").unwrap();
    watching.until("not a compilation database");
    std::fs::write(&database, serde_json::to_string(&entries).unwrap()).unwrap();
    watching.until(" UTC: the findings are the same\n");
    assert_eq!(watching.end("-INT"), Some(0));
}

#[test]
fn many_changes_at_once_are_one() {
    let tree = Copy::of_miniblock();
    let (mut watching, _) = Watching::start(&tree, &["--format", "short"]);
    // Only the last one changes findings, however long all of them take.
    for number in 0..300 {
        std::fs::write(tree.root.join(format!("block/new{number}.c")), "int x;\n").unwrap();
    }
    tree.replace("mini-img.c", "return bdrv_flush(to);", "return bdrv_co_flush(to);");
    let printed = watching.change();
    assert_eq!(printed.matches(" UTC: ").count(), 1, "{printed}");
}

#[test]
fn what_cannot_be_watched_is_an_error() {
    let tree = Copy::of_miniblock();
    for (arguments, expected) in [
        (["-p", "nowhere"], "nowhere"),
        (["--index", "some.index"], "an index does not change"),
        (["--enable", "no-such-rule"], "unknown rule `no-such-rule`"),
        (["--baseline", "nowhere.json"], "nowhere.json: No such file"),
    ] {
        let mut watching = Watching::launch(&tree, &arguments);
        let printed = watching.until("cowrap: error: ");
        assert!(printed.contains(expected), "{printed}");
        assert_eq!(watching.status(), Some(2), "{arguments:?}");
    }
}

#[test]
fn too_many_directories_are_an_error_that_says_what_to_do() {
    let tree = Copy::of_miniblock();
    let limit = "echo 3 > /proc/sys/user/max_inotify_watches";
    let is_possible = |script: &str| {
        let mut unshare = Command::new("unshare");
        let unshare = unshare.args(["--user", "--map-root-user", "sh", "-c", script]);
        unshare.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    if !is_possible(limit) {
        eprintln!("skipped: this system does not allow limits for one process");
        return;
    }
    let mut command = Command::new("unshare");
    let program = env!("CARGO_BIN_EXE_cowrap");
    command.args(["--user", "--map-root-user", "sh", "-c", &format!("{limit} && exec {program} watch --no-cache")]);
    command.current_dir(&tree.root);
    let mut watching = Watching::spawn(command);
    let printed = watching.until("fs.inotify.max_user_watches");
    assert!(printed.contains("cowrap: error: cannot watch all directories of "), "{printed}");
    assert_eq!(watching.status(), Some(2));
}

#[test]
fn it_ends_when_nobody_reads() {
    let tree = Copy::of_miniblock();
    let program = Path::new(env!("CARGO_BIN_EXE_cowrap"));
    let mut child = Command::new(program)
        .args(["watch", "--format", "short", "--no-cache"])
        .current_dir(&tree.root)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(0));
            return;
        }
        assert!(Instant::now() < end, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}
