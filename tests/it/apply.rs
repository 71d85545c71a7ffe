//! Applying changes to real files: kills, full disks, links; and that git and patch take what is written as a diff.
//!
//! Some tests run this binary again, as a process that can be killed or confined.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use cowrap_base::git::{GitError, dirty};
use cowrap_fix::{Change, PatchHeader, RefusalReason, patch_mail, patch_name, unified_diff, write_all};
use tempfile::TempDir;

use crate::support::child::this_program;

/// Names the tree that this process is to change, when it is run as a child.
const ROOT: &str = "COWRAP_TEST_ROOT";
/// Says how long the new texts of the child's files are, in bytes.
const LENGTH: &str = "COWRAP_TEST_LENGTH";
/// Says that this process runs without the user's git configuration.
const ISOLATED: &str = "COWRAP_TEST_ISOLATED";

fn change(path: &str, old: impl Into<Vec<u8>>, new: impl Into<Vec<u8>>) -> Change {
    Change { path: PathBuf::from(path), old: old.into(), new: new.into() }
}

/// Writes the old texts of changes.
fn lay(root: &Path, changes: &[Change]) {
    for change in changes {
        let path = root.join(&change.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &change.old).unwrap();
    }
}

fn read(root: &Path, name: &str) -> String {
    String::from_utf8(std::fs::read(root.join(name)).unwrap()).unwrap()
}

/// The temporary files below a directory.
fn temporaries(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                directories.push(entry.path());
            } else if entry.file_name().as_bytes().starts_with(b".cowrap-") {
                found.push(entry.path());
            }
        }
    }
    found
}

/// The one reason for which changes are refused. Nothing may have been written.
fn refused(root: &Path, changes: &[Change]) -> RefusalReason {
    let outcome = write_all(root, changes);
    assert_eq!(outcome.written, [] as [PathBuf; 0]);
    assert_eq!(outcome.refused.len(), 1, "{outcome:?}");
    assert_eq!(temporaries(root), [] as [PathBuf; 0]);
    outcome.refused.into_iter().next().unwrap().reason
}

// --- single files -----------------------------------------------------------------------------------------------

#[test]
fn files_get_their_new_bytes_and_keep_mode_and_owner() {
    let scratch = TempDir::new().unwrap();
    let changes = [
        change("a.c", "one\r\ntwo\r\n", "one\r\n2\r\n"),
        change("d/e/script", b"\xe9 old".to_vec(), b"\xe9\xff\0 new".to_vec()),
        change("same.c", "same", "same"),
    ];
    lay(scratch.path(), &changes);
    let script = scratch.path().join("d/e/script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o750)).unwrap();
    // Only root may do this.
    let is_given_away = std::os::unix::fs::chown(&script, Some(1234), Some(1234)).is_ok();
    let outcome = write_all(scratch.path(), &changes);
    assert!(outcome.is_complete() && outcome.unsynced.is_empty(), "{outcome:?}");
    assert_eq!(outcome.written, [PathBuf::from("a.c"), PathBuf::from("d/e/script")]);
    assert_eq!(outcome.same, [PathBuf::from("same.c")]);
    for change in &changes {
        assert_eq!(std::fs::read(scratch.path().join(&change.path)).unwrap(), change.new);
    }
    let metadata = script.metadata().unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o750);
    assert!(!is_given_away || (metadata.uid(), metadata.gid()) == (1234, 1234));
    assert_eq!(temporaries(scratch.path()), [] as [PathBuf; 0]);
    let again = write_all(scratch.path(), &changes);
    assert_eq!((again.written.len(), again.same.len(), again.refused.len()), (0, 3, 0));
}

#[test]
fn one_refusal_stops_everything() {
    let scratch = TempDir::new().unwrap();
    let good = change("good.c", "old", "new");
    let stale = change("stale.c", "old", "new");
    lay(scratch.path(), &[good.clone(), stale.clone()]);
    std::fs::write(scratch.path().join("stale.c"), "edited meanwhile").unwrap();
    let reason = refused(scratch.path(), &[good, stale]);
    assert!(matches!(reason, RefusalReason::Changed), "{reason}");
    assert_eq!(read(scratch.path(), "good.c"), "old");
    assert_eq!(read(scratch.path(), "stale.c"), "edited meanwhile");
}

#[test]
fn what_must_not_be_written_is_refused() {
    let scratch = TempDir::new().unwrap();
    let root = scratch.path().join("tree");
    lay(&root, &[change("locked.c", "old", ""), change("d/a.c", "old", ""), change("../out/b.c", "old", "")]);
    std::fs::set_permissions(root.join("locked.c"), std::fs::Permissions::from_mode(0o444)).unwrap();
    let reason = refused(&root, &[change("locked.c", "old", "new")]);
    assert!(matches!(reason, RefusalReason::ReadOnly), "{reason}");

    symlink("../out/b.c", root.join("link.c")).unwrap();
    symlink("../out", root.join("linked")).unwrap();
    let absolute = scratch.path().join("out/b.c");
    for path in ["link.c", "linked/b.c", "../out/b.c", absolute.to_str().unwrap()] {
        let reason = refused(&root, &[change(path, "old", "new")]);
        assert!(matches!(&reason, RefusalReason::Outside(file) if file.ends_with("out/b.c")), "{path}: {reason}");
    }
    assert!(matches!(refused(&root, &[change("d", "old", "new")]), RefusalReason::NotAFile));
    assert!(matches!(refused(&root, &[change("none.c", "old", "new")]), RefusalReason::Read(_)));
    let nowhere = write_all(&root.join("none"), &[change("a.c", "old", "new")]);
    assert!(matches!(nowhere.refused[0].reason, RefusalReason::Read(_)), "{nowhere:?}");
    for path in ["locked.c", "d/a.c", "../out/b.c"] {
        assert_eq!(read(&root, path), "old", "{path}");
    }
    let message = write_all(&root, &[change("locked.c", "old", "new")]).refused[0].to_string();
    assert_eq!(message, "locked.c: is read-only; make it writable first, or leave it out");
}

#[test]
fn a_link_inside_of_the_tree_stays_a_link() {
    let scratch = TempDir::new().unwrap();
    lay(scratch.path(), &[change("real.c", "old", "")]);
    symlink("real.c", scratch.path().join("link.c")).unwrap();
    let both = [change("real.c", "old", "new"), change("link.c", "old", "other")];
    let reason = refused(scratch.path(), &both);
    assert!(matches!(&reason, RefusalReason::Twice(path) if path == Path::new("real.c")), "{reason}");
    assert!(write_all(scratch.path(), &[change("link.c", "old", "new")]).is_complete());
    assert!(scratch.path().join("link.c").symlink_metadata().unwrap().is_symlink());
    assert_eq!(read(scratch.path(), "real.c"), "new");
}

// --- kills and full disks ---------------------------------------------------------------------------------------

/// Many files in several directories, some of them large.
fn many(length: usize) -> Vec<Change> {
    let text = |word: &str, number: usize| {
        let line = format!("{word} {number}\n");
        line.repeat(length / line.len() * (1 + number % 3))
    };
    let changed = |number| change(&format!("d{}/{number}.c", number % 7), text("old", number), text("changed", number));
    (0..500).map(changed).collect()
}

/// Not a test: what this binary does when it is run as a child.
#[test]
fn child() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let length = std::env::var(LENGTH).unwrap().parse().unwrap();
    let changes = many(length);
    println!("\nready");
    let outcome = write_all(Path::new(&root), &changes);
    for refusal in &outcome.refused {
        println!("refused: {refusal}");
    }
    std::process::exit(if outcome.is_complete() { 0 } else { 3 });
}

/// Fails unless each file is as it was or as it shall be. Tells how many are as they shall be.
fn all_whole(root: &Path, changes: &[Change]) -> usize {
    let mut new = 0;
    for change in changes {
        let text = std::fs::read(root.join(&change.path)).unwrap();
        assert!(text == change.old || text == change.new, "{} is torn", change.path.display());
        new += usize::from(text == change.new);
    }
    new
}

/// Where many files can be written quickly, so that a kill hits the replacing as well as the staging.
fn quick_scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// Kills a child that changes many files, when it has run for some time or when it has begun to replace files, and finishes its
/// work. Tells how many temporary and how many new files it had left.
fn killed(changes: &[Change], after: Option<Duration>) -> (usize, usize) {
    let scratch = quick_scratch();
    let root = scratch.path();
    lay(root, changes);
    let mut command = this_program("", module_path!(), "child");
    command.env(ROOT, root).env(LENGTH, "2000").stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "ready"));
    let first = root.join(&changes[0].path);
    let inode = || first.metadata().unwrap().ino();
    let before = inode();
    match after {
        Some(time) => std::thread::sleep(time),
        None => while inode() == before && child.try_wait().unwrap().is_none() {},
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let left = (temporaries(root).len(), all_whole(root, changes));
    let outcome = write_all(root, changes);
    assert!(outcome.is_complete(), "{outcome:?}");
    assert_eq!(outcome.written.len() + outcome.same.len(), changes.len());
    assert_eq!(all_whole(root, changes), changes.len());
    assert_eq!(temporaries(root), [] as [PathBuf; 0]);
    left
}

#[test]
fn whenever_it_is_killed_every_file_is_whole() {
    let changes = many(2000);
    // Spread over the time that it takes; chance adds to it.
    let left: Vec<_> = (0..25).map(|round| killed(&changes, Some(Duration::from_millis(3 * round)))).collect();
    println!("temporary and new files, killed after some time: {left:?}");
    // Replacing takes a small part of the time. So that it is hit:
    let left: Vec<_> = (0..25).map(|_| killed(&changes, None)).collect();
    println!("temporary and new files, killed while replacing: {left:?}");
    assert!(left.iter().any(|(temporaries, new)| *temporaries > 0 && *new > 0), "no kill was in time: {left:?}");
}

/// The limit stands for a full disk. It is in blocks of 512 or 1024 bytes, as the shell likes.
#[test]
fn without_space_nothing_is_changed() {
    // Files of 8000, 16000 and 24000 bytes: the first are below the limit, the last above it.
    let length = 8000;
    let changes = many(length);
    for (before, is_killed) in [("ulimit -c 0; ulimit -f 20;", true), ("trap '' XFSZ; ulimit -f 20;", false)] {
        let scratch = quick_scratch();
        lay(scratch.path(), &changes);
        let mut command = this_program(before, module_path!(), "child");
        let out = command.env(ROOT, scratch.path()).env(LENGTH, length.to_string()).output().unwrap();
        let said = String::from_utf8(out.stdout).unwrap();
        assert_eq!(all_whole(scratch.path(), &changes), 0, "{said}");
        if is_killed {
            assert_eq!(out.status.code(), None, "{said}");
        } else {
            assert_eq!(out.status.code(), Some(3), "{said}");
            assert!(said.contains("cannot write its new text into its directory: File too large"), "{said}");
            assert_eq!(temporaries(scratch.path()), [] as [PathBuf; 0]);
        }
        let outcome = write_all(scratch.path(), &changes);
        assert!(outcome.is_complete(), "{outcome:?}");
        assert_eq!(temporaries(scratch.path()), [] as [PathBuf; 0]);
    }
}

// --- diffs and patches ------------------------------------------------------------------------------------------

fn git(directory: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new("git");
    command.current_dir(directory).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    command.args(["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgSign=false"]);
    run(command.args(arguments), input)
}

/// Runs a command that has to succeed.
fn run(command: &mut Command, input: &[u8]) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let out = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{command:?}: {said}");
    out
}

/// Files that are easily spoilt.
fn nasty() -> Vec<Change> {
    let lines: String = (0..100).map(|number| format!("line {number}\n")).collect();
    let some = lines.replace("line 3\n", "line three\nand more\n").replace("line 50\n", "").replace("99\n", "99");
    let mut changes = vec![
        change("crlf.c", "a\r\nb\r\nc\r\n", "a\r\nB\r\nc\r\n"),
        change("to-crlf.c", "a\nb\n", "a\r\nb\r\n"),
        change("lone-cr.c", "a\rb\nc\n", "a\rb\nC\rD\n"),
        change("no newline.c", "a\nb", "a\nc"),
        change("newline-comes.c", "a\nb", "a\nb\n"),
        change("newline-goes.c", "a\nb\n", "a\nb"),
        change("empty.c", "", "int a;\n"),
        change("empties.c", "int a;\n", ""),
        change("dir with blank/ü.c", "ä\n", "ö\n"),
        change("latin1.c", b"/* \xe9 */\nint a;\n".to_vec(), b"/* \xe9 */\nint b; /* \xff */\n".to_vec()),
        change("nul.c", "a\0b\nc\n", "a\0b\nd\0\n"),
        change("tab\there.c", "a\n", "b\n"),
        change("quote\"s.c", "a\n", "b\n"),
        change("back\\slash.c", "a\n", "b\n"),
        change("many.c", lines, some),
        change("sign.c", "-- a\n++ b\n", "-- a\n++ c\n-- \n"),
    ];
    changes.push(Change { path: PathBuf::from(OsStr::from_bytes(b"\xff.c")), ..change("", "a\n", "b\n") });
    changes
}

/// Files of a few random lines, of which some differ.
fn random(count: usize) -> Vec<Change> {
    // A fixed sequence: the same files in every run.
    let mut state = 1_u64;
    let mut below = move |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let mut file = |number| {
        let mut lines: Vec<&str> = (0..below(30)).map(|_| ["a\n", "b\n", "\n", "c\r\n"][below(4)]).collect();
        let old = lines.concat();
        for _ in 0..below(4) {
            let at = below(lines.len() + 1);
            match below(3) {
                0 => lines.insert(at, "new\n"),
                1 => lines.truncate(at),
                _ if at < lines.len() => drop(lines.remove(at)),
                _ => lines.push("end without a line feed"),
            }
        }
        change(&format!("random/{number}.c"), old, lines.concat())
    };
    (0..count).map(&mut file).collect()
}

fn diff_of(changes: &[Change]) -> Vec<u8> {
    changes.iter().flat_map(|change| unified_diff(&change.path, &change.old, &change.new)).collect()
}

fn all_new(root: &Path, changes: &[Change]) {
    for change in changes {
        let text = std::fs::read(root.join(&change.path)).unwrap();
        let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        assert_eq!(shown(&text), shown(&change.new), "{}", change.path.display());
        assert_eq!(text, change.new);
    }
}

#[test]
fn git_applies_diffs() {
    let mut changes = nasty();
    changes.extend(random(300));
    changes.push(change("new\nline.c", "a\n", "b\n"));
    let scratch = TempDir::new().unwrap();
    lay(scratch.path(), &changes);
    git(scratch.path(), &["init", "-q"], b"");
    let diff = diff_of(&changes);
    git(scratch.path(), &["apply", "--check"], &diff);
    assert_eq!(std::fs::read(scratch.path().join("empty.c")).unwrap(), b"");
    git(scratch.path(), &["apply"], &diff);
    all_new(scratch.path(), &changes);
}

#[test]
fn patch_applies_diffs() {
    if Command::new("patch").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `patch` on this machine");
        return;
    }
    // A line feed in a name is more than patch wants to see.
    let mut changes = nasty();
    changes.extend(random(300));
    let scratch = TempDir::new().unwrap();
    lay(scratch.path(), &changes);
    run(Command::new("patch").arg("-p1").current_dir(scratch.path()), &diff_of(&changes));
    all_new(scratch.path(), &changes);
}

#[test]
fn git_makes_commits_of_a_series() {
    let scratch = TempDir::new().unwrap();
    let (root, mails) = (scratch.path().join("repository"), scratch.path().join("mails"));
    std::fs::create_dir(&mails).unwrap();
    let all = nasty();
    lay(&root, &all);
    git(&root, &["init", "-q"], b"");
    git(&root, &["add", "-A"], b"");
    git(&root, &["commit", "-q", "-m", "old"], b"");

    let second: Vec<Change> = all
        .iter()
        .map(|change| Change { old: change.new.clone(), new: change.old.clone(), ..change.clone() })
        .collect();
    let subjects =
        ["block: mark foo", "größer: =?x?= mark bar, with a subject that goes on for longer than a line has", "c"];
    let series = [(subjects[0], all.clone()), (subjects[1], second), (subjects[2], all.clone())];
    let body = "Why it is done.\n\n---\nFrom: nobody <x@example.org>\ndiff --git a/x b/x\n@@ -1 +1 @@\n";
    for (number, (subject, changes)) in series.iter().enumerate() {
        let mail = PatchHeader {
            name: "Jörg Q. Person".to_owned(),
            address: "joerg@example.org".to_owned(),
            date: "Thu, 1 Jan 2026 12:00:00 +0100".to_owned(),
            subject: (*subject).to_owned(),
            body: body.to_owned(),
            number: number + 1,
            count: series.len(),
        };
        std::fs::write(mails.join(patch_name(number + 1, subject)), patch_mail(&mail, changes)).unwrap();
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(&mails).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files[0].ends_with("0001-block-mark-foo.patch"), "{files:?}");
    let mut arguments = vec!["am", "-q", "--keep-cr"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    git(&root, &arguments, b"");

    all_new(&root, &all);
    assert!(git(&root, &["status", "--porcelain"], b"").stdout.is_empty());
    let log = git(&root, &["log", "-3", "--reverse", "--format=%s|%an|%ae|%aD"], b"").stdout;
    let expected: Vec<String> = subjects
        .iter()
        .map(|subject| format!("{subject}|Jörg Q. Person|joerg@example.org|Thu, 1 Jan 2026 12:00:00 +0100\n"))
        .collect();
    assert_eq!(String::from_utf8(log).unwrap(), expected.concat());
    let message = String::from_utf8(git(&root, &["log", "-1", "--format=%b"], b"").stdout).unwrap();
    let kept: Vec<&str> = message.trim_end().lines().map(str::trim_start).collect();
    assert_eq!(kept, body.lines().collect::<Vec<_>>());
}

#[test]
fn a_diffstat_is_that_of_git() {
    let scratch = TempDir::new().unwrap();
    let changes: Vec<Change> = nasty().into_iter().filter(|change| change.path != Path::new("nul.c")).collect();
    lay(scratch.path(), &changes);
    git(scratch.path(), &["init", "-q"], b"");
    git(scratch.path(), &["add", "-A"], b"");
    assert!(write_all(scratch.path(), &changes).is_complete());
    let of_git = String::from_utf8(git(scratch.path(), &["diff", "--stat"], b"").stdout).unwrap();
    let mut sorted = changes.clone();
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    let mail = PatchHeader {
        name: "A".to_owned(),
        address: "a@example.org".to_owned(),
        date: "Thu, 1 Jan 2026 12:00:00 +0000".to_owned(),
        subject: "s".to_owned(),
        body: String::new(),
        number: 1,
        count: 1,
    };
    let text = patch_mail(&mail, &sorted);
    let text = String::from_utf8_lossy(&text);
    let stat = text.split_once("\n---\n").unwrap().1.split_once("\n\n").unwrap().0;
    assert_eq!(format!("{stat}\n"), of_git);
}

// --- what git has -----------------------------------------------------------------------------------------------

/// Whether this process runs without the user's git configuration. If not, it runs the test in one that does.
fn is_isolated(test: &str) -> bool {
    if std::env::var_os(ISOLATED).is_some() {
        return true;
    }
    let mut command = this_program("", module_path!(), test);
    command.env(ISOLATED, "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let out = run(&mut command, b"");
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(said.contains("running 1 test"), "{test}: {said}");
    false
}

/// A repository with these files committed.
fn repository(files: &[&str]) -> TempDir {
    let scratch = TempDir::new().unwrap();
    let changes: Vec<Change> = files.iter().map(|path| change(path, "old\n", "")).collect();
    lay(scratch.path(), &changes);
    git(scratch.path(), &["init", "-q"], b"");
    git(scratch.path(), &["add", "-A"], b"");
    git(scratch.path(), &["commit", "-q", "-m", "old"], b"");
    scratch
}

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

#[test]
fn dirty_files_are_found() {
    if !is_isolated("dirty_files_are_found") {
        return;
    }
    let odd = ["clean.c", "sp ace.c", "new\nline.c", "-dash.c", "*.c", ":(top)x.c", "d/ü.c"];
    let mut files = odd.to_vec();
    files.extend(["changed.c", "d/staged.c", "removed.c", "touched.c", "moved.c", "back.c"]);
    let scratch = repository(&files);
    let root = scratch.path();
    let write = |name: &str, text: &str| std::fs::write(root.join(name), text).unwrap();
    write(".gitignore", "*.ignored\n");
    write("changed.c", "new\n");
    write("d/staged.c", "new\n");
    write("back.c", "new\n");
    write("added.c", "new\n");
    git(root, &["add", "d/staged.c", "back.c", "added.c"], b"");
    write("back.c", "old\n");
    write("untracked.c", "new\n");
    write("x.ignored", "new\n");
    write("touched.c", "old\n");
    std::fs::remove_file(root.join("removed.c")).unwrap();
    git(root, &["mv", "moved.c", "there.c"], b"");
    symlink("changed.c", root.join("link-changed.c")).unwrap();
    symlink("d", root.join("linked")).unwrap();

    let dirty_ones = [
        "changed.c",
        "d/staged.c",
        "back.c",
        "added.c",
        "untracked.c",
        "x.ignored",
        "removed.c",
        "there.c",
        "link-changed.c",
        "linked/staged.c",
        "d/../changed.c",
        "/etc/passwd",
    ];
    let mut asked = odd.to_vec();
    asked.extend(["touched.c", "linked/ü.c"]);
    asked.extend(dirty_ones);
    assert_eq!(dirty(root, &paths(&asked)).unwrap(), paths(&dirty_ones));
    assert_eq!(dirty(root, &[]).unwrap(), [] as [PathBuf; 0]);
    // From a directory below the top, and more files than one command gets.
    let mut below = paths(&["staged.c", "ü.c", "../changed.c"]);
    below.extend((0..600).map(|number| PathBuf::from(format!("none{number}.c"))));
    let found = dirty(&root.join("d"), &below).unwrap();
    assert_eq!((found.len(), &found[..2]), (602, &paths(&["staged.c", "../changed.c"])[..]));
}

#[test]
fn where_there_is_no_repository_that_is_said() {
    if !is_isolated("where_there_is_no_repository_that_is_said") {
        return;
    }
    let scratch = TempDir::new().unwrap();
    std::fs::write(scratch.path().join("a.c"), "").unwrap();
    let error = dirty(scratch.path(), &paths(&["a.c"])).unwrap_err();
    assert!(matches!(error, GitError::NotARepository { .. }), "{error}");
    let repository = repository(&["a.c"]);
    let error = dirty(&repository.path().join(".git"), &paths(&["config"])).unwrap_err();
    assert!(matches!(error, GitError::Refused { .. }), "{error}");
    std::fs::write(repository.path().join(".git/config"), "[nonsense").unwrap();
    let error = dirty(repository.path(), &paths(&["a.c"])).unwrap_err();
    assert!(matches!(error, GitError::Failed { .. }), "{error}");
    // Without commits everything is dirty.
    git(scratch.path(), &["init", "-q"], b"");
    git(scratch.path(), &["add", "a.c"], b"");
    assert_eq!(dirty(scratch.path(), &paths(&["a.c"])).unwrap(), paths(&["a.c"]));
}

#[test]
fn nothing_that_a_repository_configures_is_run() {
    if !is_isolated("nothing_that_a_repository_configures_is_run") {
        return;
    }
    let scratch = repository(&["a.c", "b.c", "c.c", ".gitattributes"]);
    let root = scratch.path();
    std::fs::write(root.join(".gitattributes"), "a.c filter=x\nb.c filter=y=z\nc.c filter=p\n").unwrap();
    git(root, &["commit", "-q", "-a", "-m", "attributes"], b"");
    let marker = root.join("marker");
    let script = root.join("script");
    std::fs::write(&script, format!("#!/bin/sh\necho \"$0 $*\" >>'{}'\ncat\n", marker.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir_all(root.join(".git/hooks")).unwrap();
    std::fs::copy(&script, root.join(".git/hooks/post-index-change")).unwrap();
    let run = script.display();
    let more = format!(
        "[core]\nfsmonitor = {run} monitor\npager = {run} pager\n[filter \"x\"]\nclean = {run} clean\nrequired = true\n\
         [filter \"y=z\"]\nclean = {run} clean\n[filter \"p\"]\nprocess = {run} process\nrequired\n\
         [alias]\nstatus = !{run}\n[pager]\nstatus = {run} pager\n[diff]\nexternal = {run} diff\n"
    );
    let config = root.join(".git/config");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push_str(&more);
    std::fs::write(&config, text).unwrap();
    // Their times differ from what git knows, so that it has to look inside.
    let touch = || {
        for name in ["a.c", "b.c", "c.c"] {
            std::fs::remove_file(root.join(name)).unwrap();
            std::fs::write(root.join(name), "old\n").unwrap();
        }
    };
    touch();
    assert_eq!(dirty(root, &paths(&["a.c", "b.c", "c.c"])).unwrap(), [] as [PathBuf; 0]);
    let said = std::fs::read_to_string(&marker).unwrap_or_default();
    assert_eq!(said, "");
    // Without the precautions, the script is run: the test tests something.
    touch();
    let _ = Command::new("git").current_dir(root).arg("status").stdin(Stdio::null()).output().unwrap();
    let said = std::fs::read_to_string(&marker).unwrap_or_default();
    assert!(said.contains("monitor") && said.contains("clean"), "{said}");
}
