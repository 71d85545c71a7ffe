//! Steps that fail, and kills between them.

use std::cell::Cell;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use rustix::process::{Signal, getpid, kill_process};
use tempfile::TempDir;

use super::*;

/// Names the tree that this process is to change, when it is run as a child.
const ROOT: &str = "COWRAP_TEST_ROOT";
/// Says before which step the child kills itself.
const AT: &str = "COWRAP_TEST_AT";

/// A header, what the build reads, a source that uses the header, and a file in a directory.
fn changes() -> Vec<Change> {
    let change = |path: &str, old: &str, new: &str| Change { path: path.into(), old: old.into(), new: new.into() };
    vec![
        change("a.c", "#include \"w.h\"\nold();\n", "#include \"w.h\"\nwrapper();\n"),
        change("d/b.c", "old();\n", "wrapper();\n"),
        change("meson.build", "old", "new"),
        change("w.h", "void old(void);\n", "void old(void);\nvoid wrapper(void);\n"),
    ]
}

fn lay() -> TempDir {
    let scratch = TempDir::new().unwrap();
    for change in changes() {
        std::fs::create_dir_all(scratch.path().join(&change.path).parent().unwrap()).unwrap();
        std::fs::write(scratch.path().join(&change.path), &change.old).unwrap();
    }
    scratch
}

/// For each change, whether the file has its new text; it must have one of the two.
fn new(root: &Path) -> Vec<bool> {
    let is_new = |change: &Change| {
        let text = std::fs::read(root.join(&change.path)).unwrap();
        assert!(text == change.old || text == change.new, "{} is torn", change.path.display());
        text == change.new
    };
    changes().iter().map(is_new).collect()
}

/// What cowrap left in the tree.
fn left(root: &Path) -> Vec<OsString> {
    let names = [root.to_path_buf(), root.join("d")].into_iter().flat_map(|at| std::fs::read_dir(at).unwrap());
    let names = names.map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().is_some_and(|name| name.starts_with(".cowrap"))).collect()
}

/// Fails at one step of all.
fn fails_at(at: usize) -> impl Fn(Step) -> io::Result<()> {
    let steps = Cell::new(0);
    move |_| {
        steps.set(steps.get() + 1);
        if steps.get() == at { Err(io::Error::other("injected")) } else { Ok(()) }
    }
}

#[test]
fn a_step_that_fails_leaves_everything_as_it_was() {
    // The journal, four files, and the end.
    for at in 1..=5 {
        let tree = lay();
        let before: Vec<u64> = changes().iter().map(|c| tree.path().join(&c.path).metadata().unwrap().ino()).collect();
        let outcome = write_all_with(tree.path(), &changes(), &fails_at(at));
        assert_eq!(new(tree.path()), [false; 4], "{at}");
        let after: Vec<u64> = changes().iter().map(|c| tree.path().join(&c.path).metadata().unwrap().ino()).collect();
        assert_eq!(before, after, "the files are the same, with all that belongs to them");
        assert!(outcome.written.is_empty() && outcome.refused.len() == 1, "{outcome:?}");
        assert_eq!(left(tree.path()), [] as [OsString; 0], "{at}");
        assert!(write_all(tree.path(), &changes()).is_complete());
        assert_eq!(new(tree.path()), [true; 4]);
    }
    let tree = lay();
    let outcome = write_all_with(tree.path(), &changes(), &fails_at(6));
    assert!(outcome.is_complete() && is_unfinished(tree.path()));
    assert_eq!(recover(tree.path()).unwrap(), Recovered::Finished(Vec::new()));
    assert_eq!(left(tree.path()), [] as [OsString; 0]);
}

#[test]
fn if_the_old_texts_cannot_be_brought_back_the_next_run_goes_on() {
    let tree = lay();
    // The last file cannot be replaced, and the first one not brought back.
    let steps = Cell::new(0);
    let fails = |step: Step| {
        steps.set(steps.get() + 1);
        if steps.get() == 5 || step == Step::Undo { Err(io::Error::other("injected")) } else { Ok(()) }
    };
    let outcome = write_all_with(tree.path(), &changes(), &fails);
    assert_eq!(outcome.written.len(), 3, "{outcome:?}");
    assert!(is_unfinished(tree.path()));
    assert!(write_all(tree.path(), &changes()).is_complete());
    assert_eq!(new(tree.path()), [true; 4]);
}

/// Not a test: what this program does as a child.
#[test]
fn child() {
    let Some(root) = std::env::var_os(ROOT) else { return };
    let at: usize = std::env::var(AT).unwrap().parse().unwrap();
    let steps = Cell::new(0);
    let kills = |_| {
        steps.set(steps.get() + 1);
        if steps.get() == at {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
        Ok(())
    };
    write_all_with(Path::new(&root), &changes(), &kills);
}

/// A tree whose change was killed before a step.
fn killed(at: usize) -> TempDir {
    let tree = lay();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "apply::tests::child"]).env(ROOT, tree.path()).env(AT, at.to_string());
    assert!(!command.output().unwrap().status.success());
    tree
}

#[test]
fn a_kill_at_any_step_is_finished_by_the_next_run() {
    for at in 1..=6 {
        let tree = killed(at);
        // The journal's other name, if the program is killed while it has two.
        std::fs::write(tree.path().join(".cowrap-2147483647-1f-abcdef"), "").unwrap();
        let done = new(tree.path());
        // In the order of use: the header, what the build reads, the sources.
        let order = [3, 2, 0, 1];
        let expected = at.saturating_sub(2).min(4);
        for (place, number) in order.into_iter().enumerate() {
            assert_eq!(done[number], place < expected, "{at}: {done:?}");
        }
        assert_eq!(is_unfinished(tree.path()), at > 1, "{at}");
        let outcome = write_all(tree.path(), &changes());
        assert!(outcome.is_complete(), "{outcome:?}");
        assert_eq!(new(tree.path()), [true; 4]);
        assert_eq!(left(tree.path()), [] as [OsString; 0], "{at}");
    }
}

#[test]
fn the_next_run_reads_a_tree_that_is_whole() {
    for at in 3..=5 {
        let tree = killed(at);
        let Recovered::Finished(files) = recover(tree.path()).unwrap() else { panic!("it can be finished") };
        assert_eq!(files.len(), 6 - at);
        assert_eq!(new(tree.path()), [true; 4]);
        assert_eq!(left(tree.path()), [] as [OsString; 0]);
        assert_eq!(recover(tree.path()).unwrap(), Recovered::Nothing);
    }
}

#[test]
fn what_somebody_did_meanwhile_is_kept() {
    // The file that was not replaced yet has changed: what was is undone.
    let tree = killed(4);
    std::fs::write(tree.path().join("a.c"), "mine").unwrap();
    let error = recover(tree.path()).unwrap_err();
    assert!(matches!(error, RecoverError::Stuck { .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("had changed w.h, meson.build, and a.c changed since"), "{said}");
    assert!(!write_all(tree.path(), &changes()).is_complete());
    assert_eq!(std::fs::read(tree.path().join("a.c")).unwrap(), b"mine");
    // Restoring it is enough, and so is restoring everything.
    std::fs::write(tree.path().join("a.c"), &changes()[0].old).unwrap();
    assert!(matches!(recover(tree.path()), Ok(Recovered::Finished(files)) if files.len() == 2));
    let tree = killed(4);
    for change in changes() {
        std::fs::write(tree.path().join(change.path), change.old).unwrap();
    }
    assert_eq!(recover(tree.path()).unwrap(), Recovered::Undone(Vec::new()));
    // What was replaced was restored, and its new text is gone: the rest is undone.
    let tree = killed(4);
    std::fs::write(tree.path().join("w.h"), &changes()[3].old).unwrap();
    assert_eq!(recover(tree.path()).unwrap(), Recovered::Undone(vec![PathBuf::from("meson.build")]));
    assert_eq!(new(tree.path()), [false; 4]);
    assert_eq!(left(tree.path()), [] as [OsString; 0]);
}

#[test]
fn a_journal_that_the_tree_brings_does_nothing() {
    let tree = killed(4);
    let journal = tree.path().join(JOURNAL);
    let bytes = std::fs::read(&journal).unwrap();
    let mode = |mode| std::fs::set_permissions(&journal, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    assert!(matches!(recover(tree.path()), Err(RecoverError::Foreign)));
    mode(0o600);
    for damaged in [&bytes[..bytes.len() - 1], b"", &bytes[1..]] {
        std::fs::write(&journal, damaged).unwrap();
        assert!(matches!(recover(tree.path()), Err(RecoverError::Foreign)));
    }
    // Paths that lead out, or into git's directory.
    let root = Directory::open(tree.path()).unwrap();
    for path in ["../out/file", "/etc/passwd", ".git/config", "d/../../x", "d/.Git/hooks/x", "", JOURNAL] {
        std::fs::remove_file(&journal).unwrap();
        let temporary = OsString::from(".cowrap-fix-1-1f-abcdef");
        let entry = Entry { path: path.into(), temporary, old: Digest::of(b"a"), new: Digest::of(b"b") };
        journal::write(&root, &[entry]).unwrap();
        assert!(matches!(recover(tree.path()), Err(RecoverError::Foreign)), "{path}");
    }
    // One file many times.
    std::fs::remove_file(&journal).unwrap();
    let temporary = OsString::from(".cowrap-fix-2147483647-1f-abcdef");
    let entry = Entry { path: "w.h".into(), temporary, old: Digest::of(b"a"), new: Digest::of(b"b") };
    journal::write(&root, &[entry.clone(), entry]).unwrap();
    assert!(matches!(recover(tree.path()), Err(RecoverError::Foreign)));
    std::fs::remove_file(&journal).unwrap();
    symlink("w.h", &journal).unwrap();
    assert!(matches!(recover(tree.path()), Err(RecoverError::Foreign)));
    std::fs::remove_file(&journal).unwrap();
    assert_eq!(recover(tree.path()).unwrap(), Recovered::Nothing);
    assert_eq!(new(tree.path()).iter().filter(|new| **new).count(), 2);
}

#[test]
fn links_are_told_and_attributes_are_kept() {
    let tree = lay();
    let path = tree.path().join("w.h");
    std::fs::hard_link(&path, tree.path().join("other.h")).unwrap();
    let flags = rustix::fs::XattrFlags::empty();
    let has_attributes = rustix::fs::setxattr(&path, "user.cowrap", b"kept", flags).is_ok();
    let outcome = write_all(tree.path(), &changes());
    assert!(outcome.is_complete() && outcome.separated == [PathBuf::from("w.h")], "{outcome:?}");
    assert_eq!(std::fs::read(tree.path().join("other.h")).unwrap(), changes()[3].old);
    if has_attributes {
        let mut value = [0; 16];
        let length = rustix::fs::getxattr(&path, "user.cowrap", &mut value).unwrap();
        assert_eq!(&value[..length], b"kept");
    }
}
