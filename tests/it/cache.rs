//! A cache that several processes use, that are killed, have no space, or may not write. What is in
//! one process is tested in `src/cache/tests.rs`.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use cowrap_base::cache::{Cache, EntryKind, clean, info};
use cowrap_base::files::Digest;
use tempfile::TempDir;

use crate::support::child::{test_name, this_program};

/// Where a child finds its cache, what it does, and which numbers it begins with.
const ROOT: &str = "COWRAP_TEST_CACHE";
const ACTION: &str = "COWRAP_TEST_ACTION";
const FIRST: &str = "COWRAP_TEST_FIRST";

const LIMIT: u64 = 1 << 30;

fn key(number: usize) -> Digest {
    Digest::of(&number.to_le_bytes())
}

/// The value that is kept under a key: none other is right.
fn value(number: usize) -> Vec<u8> {
    key(number).bytes().iter().copied().cycle().take(100 + number * 37 % 5000).collect()
}

fn quick_scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// Not a test: what this binary does when it is run as a child.
#[test]
fn child() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let first: usize = std::env::var(FIRST).unwrap().parse().unwrap();
    let action = std::env::var(ACTION).unwrap();
    let limit = if action == "crowd" { 300_000 } else { LIMIT };
    let cache = Cache::open(Path::new(&root), limit).unwrap();
    println!("\nready");
    let mut failed = 0;
    for round in 0..20 {
        for number in first + round * 10..first + round * 10 + 10 {
            look(&cache, number);
            cache.put(EntryKind::FileFacts, key(number), value(number));
            cache.put(EntryKind::Change, key(number % 50), value(number % 50));
        }
        cache.put(EntryKind::Tree, key(first % 3), value(first % 3));
        let header = key(round % 5);
        if let Some(path) = cache.file(&header).or_else(|| cache.put_file(header, |path| write(path, round % 5)))
            // Others may remove it meanwhile.
            && let Ok(text) = std::fs::read(&path)
        {
            assert_eq!(text, value(round % 5));
        }
        if let Err(error) = cache.flush() {
            println!("failed: {error}");
            failed += 1;
        }
        if action == "remove" && round % 4 == 0 {
            let _ = std::fs::remove_dir_all(&root);
        }
    }
    std::process::exit(if failed > 0 { 3 } else { 0 });
}

fn write(path: &Path, number: usize) -> bool {
    std::fs::write(path, value(number)).is_ok()
}

/// Fails if what is kept for a number is wrong. Tells whether its piece is there.
fn look(cache: &Cache, number: usize) -> bool {
    for kind in EntryKind::ALL {
        assert!(cache.get(kind, &key(number)).is_none_or(|found| found == value(number)), "{kind:?} {number}");
    }
    let header = cache.file(&key(number)).and_then(|path| std::fs::read(path).ok());
    assert!(header.is_none_or(|found| found == value(number)), "{number}");
    cache.get(EntryKind::FileFacts, &key(number)).is_some()
}

/// How many of the first pieces are there; none of whatever is there may be wrong.
fn count(root: &Path, numbers: usize) -> usize {
    let cache = Cache::open(root, LIMIT).unwrap();
    (0..numbers).filter(|number| look(&cache, *number)).count()
}

/// This program as a child; a shell runs `before` first.
fn command(before: &str, root: &Path, action: &str, first: usize) -> Command {
    let mut command = this_program(before, module_path!(), "child");
    command.env(ROOT, root).env(ACTION, action).env(FIRST, first.to_string()).stdout(Stdio::piped());
    command
}

/// Everything in a directory that is no directory.
fn everything(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(everything(&path)) } else { found.push(path) }
    }
    found
}

fn together(root: &Path, action: &str, apart: usize) {
    let children: Vec<_> = (0..10).map(|number| command("", root, action, number * apart).spawn().unwrap()).collect();
    for child in children {
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    }
}

#[test]
fn ten_processes_at_once_keep_everything() {
    for apart in [200, 50, 0] {
        let root = quick_scratch();
        // Not even the directory is there.
        let directory = root.path().join("a/cache");
        together(&directory, "keep", apart);
        let all = 200 + 9 * apart;
        assert_eq!(count(&directory, all), all);
        let told = info(&directory).unwrap();
        assert_eq!(told.kinds[0].1, 50, "{told:?}");
        let left: Vec<_> =
            everything(&directory).into_iter().filter(|path| path.to_str().unwrap().contains("/.cowrap-")).collect();
        assert_eq!(left, [] as [PathBuf; 0], "no temporary files");
    }
}

#[test]
fn processes_that_have_too_much_remove_what_others_use_and_do_no_harm() {
    let root = quick_scratch();
    together(root.path(), "crowd", 200);
    count(root.path(), 2000);
    let cache = Cache::open(root.path(), 300_000).unwrap();
    cache.put(EntryKind::Change, key(5000), value(5000));
    cache.flush().unwrap();
    assert!(info(root.path()).unwrap().size <= 300_000);
}

/// That each child keeps its cache cannot be expected; that nothing goes wrong can.
#[test]
fn a_cache_that_is_removed_all_the_time_does_no_harm() {
    let root = quick_scratch();
    let directory = root.path().join("cache");
    let children: Vec<_> = (0..6)
        .map(|number| {
            command("", &directory, if number < 2 { "remove" } else { "keep" }, number * 100).spawn().unwrap()
        })
        .collect();
    for child in children {
        let out = child.wait_with_output().unwrap();
        assert!(matches!(out.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&out.stdout));
    }
    if directory.join("CACHEDIR.TAG").exists() {
        count(&directory, 1000);
    }
    let _ = std::fs::remove_dir_all(&directory);
    together(&directory, "keep", 0);
    assert_eq!(count(&directory, 200), 200);
}

#[test]
fn whenever_it_is_killed_nothing_wrong_is_left() {
    let root = quick_scratch();
    let mut counts = Vec::new();
    for round in 0..60 {
        let mut child = command("", root.path(), "keep", round * 20).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"));
        std::thread::sleep(Duration::from_micros(500 * (round as u64 % 30)));
        child.kill().unwrap();
        child.wait().unwrap();
        counts.push(count(root.path(), 1600));
    }
    println!("pieces after each kill: {counts:?}");
    assert!(counts.is_sorted(), "what was kept stays");
    assert!(counts.last() > Some(&100), "nothing was kept before the kills: {counts:?}");
    together(root.path(), "keep", 150);
    assert_eq!(count(root.path(), 200 + 9 * 150), 200 + 9 * 150);
}

/// The limit stands for a full disk; it is that of each file.
#[test]
fn without_space_nothing_goes_wrong() {
    for blocks in [0, 1, 3, 20, 60, 100] {
        for (before, is_killed) in [("ulimit -c 0;", true), ("trap '' XFSZ;", false)] {
            let root = quick_scratch();
            let before = format!("{before} ulimit -f {blocks};");
            // A pipe has no such limit.
            let out = command(&before, root.path(), "keep", 0).output().unwrap();
            let said = String::from_utf8(out.stdout).unwrap();
            if is_killed {
                assert_eq!(out.status.code(), None, "{said}");
            } else {
                assert_eq!(out.status.code(), Some(3), "{said}");
                assert!(said.contains("failed: cannot write the cache") && said.contains("File too large"), "{said}");
            }
            let kept = count(root.path(), 200);
            assert!(kept < 200, "{kept} with {blocks} blocks");
            assert!(blocks < 100 || kept > 0, "some of it has space");
            assert!(command("", root.path(), "keep", 0).output().unwrap().status.success());
            assert_eq!(count(root.path(), 200), 200);
        }
    }
}

#[test]
fn a_full_disk_does_no_harm() {
    if !is_root() {
        println!("skipped: only root can mount a small disk; `without_space_nothing_goes_wrong` tells most of it");
        return;
    }
    let root = TempDir::new().unwrap();
    // In a mount namespace of its own, so that nothing is left mounted.
    let script = format!("mount -t tmpfs -o size=200k none {0} && exec \"$0\" \"$@\"", root.path().display());
    let mut full = Command::new("unshare");
    full.args(["-m", "sh", "-c", &script]).arg(std::env::current_exe().unwrap());
    full.args(["--exact", &test_name(module_path!(), "child"), "--nocapture"])
        .env(ROOT, root.path().join("cache"))
        .env(ACTION, "keep")
        .env(FIRST, "0");
    let out = full.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    if said.contains("unshare failed") || said.contains("permission denied") {
        println!("skipped: root may not mount here: {said}");
        return;
    }
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
}

fn is_root() -> bool {
    let scratch = TempDir::new().unwrap();
    // Only root may give something away.
    std::os::unix::fs::chown(scratch.path(), Some(65534), Some(65534)).is_ok()
}

#[test]
fn a_directory_that_must_not_be_written_is_read() {
    let root = quick_scratch();
    std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let directory = root.path().join("cache");
    let cache = Cache::open(&directory, LIMIT).unwrap();
    cache.put(EntryKind::FileFacts, key(1), value(1));
    cache.put_file(key(1), |path| write(path, 1)).unwrap();
    cache.flush().unwrap();
    let lock = |mode| {
        for path in [directory.clone(), directory.join("v1")] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    lock(0o555);
    // Root may write everywhere, and is somebody else for this.
    let mut reader = command("", &directory, "keep", 0);
    if is_root() {
        let binary = root.path().join("binary");
        std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
        reader = Command::new(&binary);
        reader
            .args(["--exact", &test_name(module_path!(), "child"), "--nocapture"])
            .env(ROOT, &directory)
            .env(ACTION, "keep")
            .env(FIRST, "0");
        reader.env("LIBCLANG_PATH", "/").current_dir("/").uid(65534).gid(65534);
    }
    let before = everything(&directory);
    let out = reader.output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(3), "{said}{}", String::from_utf8_lossy(&out.stderr));
    assert!(said.contains("Permission denied"), "{said}");
    assert_eq!(everything(&directory), before);
    lock(0o755);
    assert!(look(&Cache::open(&directory, LIMIT).unwrap(), 1));
}

#[test]
fn a_place_where_no_directory_can_be_is_an_error_for_its_own() {
    for place in ["/dev/full", "/dev/full/cache", "/proc/cowrap-cache"] {
        let Ok(cache) = Cache::open(Path::new(place), LIMIT) else { continue };
        assert_eq!((cache.get(EntryKind::Change, &key(1)), cache.file(&key(1))), (None, None));
        cache.put(EntryKind::Change, key(1), value(1));
        assert_eq!(cache.put_file(key(1), |path| write(path, 1)), None);
        assert!(cache.flush().is_err(), "{place}");
        cache.flush().unwrap();
    }
}

#[test]
fn a_cache_can_be_cleaned_while_others_use_it() {
    let root = quick_scratch();
    let directory = root.path().join("cache");
    let children: Vec<_> =
        (0..4).map(|number| command("", &directory, "keep", number * 100).spawn().unwrap()).collect();
    for _ in 0..20 {
        clean(&directory).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    for child in children {
        let out = child.wait_with_output().unwrap();
        assert!(matches!(out.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&out.stdout));
    }
    count(&directory, 600);
    clean(&directory).unwrap();
    assert!(!directory.exists());
}
