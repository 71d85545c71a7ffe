//! Repositories whose configuration or layout is odd or hostile.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use super::reading::{BREACH, Hostile, Said, UNIT, breach};

/// A tree in a repository, with one commit.
fn repository() -> Hostile {
    let tree = Hostile::new();
    tree.write(".gitignore", "/build/\n");
    git(tree.root(), &["init", "--quiet", "--initial-branch=main"]);
    commit(tree.root());
    tree
}

fn git(root: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(root).args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let out = command.args(arguments).output().unwrap();
    assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
}

fn commit(root: &Path) {
    git(root, &["add", "--all"]);
    git(root, &["commit", "--quiet", "--message", "a commit"]);
}

/// Checks that git's answers arrive: what is staged, what differs from HEAD, and what is not committed.
fn is_understood(tree: &Hostile, what: &str) {
    tree.write("new.c", &UNIT.replace("unit", "new"));
    tree.database();
    git(tree.root(), &["add", "new.c"]);
    answers(tree, what);
    let before = tree.read("a.c");
    commit(tree.root());
    let said = tree.run(&["fix", "-p", "build"]);
    assert!(said.status == 0 && tree.read("a.c") != before, "{what}: {said:?}");
}

/// Checks that git's answers arrive where `new.c` is staged.
fn answers(tree: &Hostile, what: &str) {
    for option in [&["--staged"][..], &["--diff-base", "HEAD"]] {
        let said = tree.check(option);
        assert_eq!(said.findings, [breach("new.c", "new")], "{what} {option:?}: {said:?}");
    }
    let before = tree.read("a.c");
    let said = tree.run(&["fix", "-p", "build", "a.c", "new.c"]);
    assert!(said.status == 2 && said.text.contains("uncommitted changes: new.c\n"), "{what}: {said:?}");
    assert_eq!(tree.read("a.c"), before, "{what}");
}

#[test]
fn every_layout_of_a_repository_is_understood() {
    let tree = repository();
    for setting in ["core.splitIndex=true", "core.untrackedCache=true", "index.version=4", "core.fsmonitor=true"] {
        let (key, value) = setting.split_once('=').unwrap();
        git(tree.root(), &["config", key, value]);
    }
    git(tree.root(), &["update-index", "--split-index", "--untracked-cache"]);
    is_understood(&tree, "split index, untracked cache");

    let tree = Hostile::new();
    tree.write(".gitignore", "/build/\n");
    git(tree.root(), &["init", "--quiet", "--object-format=sha256", "--initial-branch=main"]);
    commit(tree.root());
    is_understood(&tree, "SHA-256");

    let tree = repository();
    tree.write("aside/more/file", "");
    commit(tree.root());
    git(tree.root(), &["sparse-checkout", "set", "--cone", "--sparse-index", "include"]);
    assert!(!tree.root().join("aside").exists());
    is_understood(&tree, "sparse index");
}

#[test]
fn every_kind_of_clone_is_understood() {
    let origin = repository();
    origin.write("b.c", "int b;\n");
    commit(origin.root());
    git(origin.root(), &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", origin.root().display());
    let path = origin.root().to_str().unwrap();
    let ways: [(&str, &[&str]); 5] = [
        ("alternates", &["clone", "--quiet", "--shared", path, "copy"]),
        ("shallow", &["clone", "--quiet", "--depth=1", &url, "copy"]),
        ("partial", &["clone", "--quiet", "--filter=blob:none", &url, "copy"]),
        ("another git directory", &["clone", "--quiet", "--separate-git-dir=aside", path, "copy"]),
        ("a submodule", &["submodule", "--quiet", "add", path, "copy"]),
    ];
    for (what, arguments) in ways {
        let above = tempfile::tempdir().unwrap();
        git(above.path(), &["init", "--quiet"]);
        git(above.path(), arguments);
        is_understood(&Hostile::at(above.path().join("copy")), what);
    }
    let above = tempfile::tempdir().unwrap();
    let copy = above.path().join("copy");
    git(origin.root(), &["worktree", "add", "--quiet", copy.to_str().unwrap()]);
    is_understood(&Hostile::at(copy), "a linked worktree");
}

/// What `--staged` says: the check did not end well, and says which file is the reason.
fn is_refused(tree: &Hostile, named: &str, what: &str) -> Said {
    let said = tree.check(&["--staged"]);
    assert!(said.status == 2 && said.text.contains(named), "{what}: {said:?}");
    said
}

#[test]
fn a_pipe_in_a_repository_is_named_before_git_opens_it() {
    for name in [
        "HEAD",
        "config",
        "config.worktree",
        "commondir",
        "index",
        "packed-refs",
        "refs/heads/main",
        "shallow",
        "info/exclude",
        "info/attributes",
        "info/grafts",
        "info/sparse-checkout",
        "objects/info/alternates",
    ] {
        let tree = repository();
        let path = format!(".git/{name}");
        let _ = std::fs::remove_file(tree.root().join(&path));
        tree.pipe(&path);
        is_refused(&tree, &format!("{path}: it is a pipe, not a regular file; git is not started"), name);
    }
    let tree = repository();
    std::fs::remove_dir_all(tree.root().join(".git")).unwrap();
    tree.pipe(".git");
    is_refused(&tree, ".git: it is a pipe", ".git");
    std::fs::remove_file(tree.root().join(".git")).unwrap();
    tree.link("/dev/zero", ".git");
    is_refused(&tree, ".git: it is a device", ".git");
    let tree = repository();
    tree.pipe(".git/refs/tags/release");
    let said = tree.check(&["--diff-base", "release~2"]);
    assert!(said.status == 2 && said.text.contains("release: it is a pipe"), "{said:?}");
}

#[test]
fn settings_lead_git_nowhere_else() {
    let outside = tempfile::tempdir().unwrap();
    let outside = outside.path().to_str().unwrap();
    std::fs::write(Path::new(outside).join("plain"), "[core]\n").unwrap();
    let includes =
        ["[include]\npath = {}/plain\n", "[includeIf \"onbranch:*\"]path=\"{}/plain\"\n", "[include]path=../link\n"];
    for text in includes {
        let tree = repository();
        tree.link(&format!("{outside}/plain"), "link");
        tree.append(".git/config", &text.replace("{}", outside));
        let said = is_refused(&tree, "which is outside of the repository; git is not started", text);
        assert!(said.text.contains("git config --global"), "{said:?}");
    }
    // A file of the repository may include another one of it, unless git would wait for it.
    let tree = repository();
    tree.write("settings", "[core]\nabbrev = 8\n");
    tree.append(".git/config", "[include]\npath = ../settings\npath = none\n");
    is_understood(&tree, "an included file");
    tree.append("settings", "[include]\n path = pipe\n");
    tree.pipe("pipe");
    is_refused(&tree, "pipe: it is a pipe", "an included pipe");
    // What is not UTF-8, or quoted, could be anything.
    let odd = OsStr::from_bytes(b"\xff");
    let tree = repository();
    let mut config = std::fs::read(tree.root().join(".git/config")).unwrap();
    config.extend(b"[include]\npath = \xff\n");
    std::fs::write(tree.root().join(".git/config"), config).unwrap();
    std::os::unix::fs::symlink("/dev/zero", tree.root().join(".git").join(odd)).unwrap();
    is_refused(&tree, "is not UTF-8", "an included file whose name is not UTF-8");
    let tree = repository();
    tree.write(".git/objects/info/alternates", "\"/o\\377\"\n");
    is_refused(&tree, "is quoted or not UTF-8", "quoted alternates");
    // These are not asked for, or switched off. Other commands of git would wait.
    let tree = repository();
    tree.write("new.c", &UNIT.replace("unit", "new"));
    tree.database();
    git(tree.root(), &["add", "new.c"]);
    tree.pipe("pipe");
    let pipe = tree.root().join("pipe").display().to_string();
    tree.append(
        ".git/config",
        &format!(
            "[core]\nexcludesFile = {pipe}\nattributesFile = {pipe}\nsshCommand = cat {pipe}\n[mailmap]\nfile = {pipe}\n\
             [commit]\ntemplate = {pipe}\n[log]\nshowSignature = true\n[gpg]\nprogram = {pipe}\n\
             [diff]\norderFile = {pipe}\n"
        ),
    );
    answers(&tree, "files that other commands read");
    // The tree is not where the repository says that it is.
    let tree = repository();
    tree.append(".git/config", "[core]\nworktree = /\n");
    is_refused(&tree, "is not the repository that git takes", "another working tree");
    let tree = repository();
    tree.append(".git/config", "[core]\nbare = true\n");
    is_refused(&tree, "must be run in a work tree", "a bare repository");
}

#[test]
fn files_are_not_edited_when_nobody_knows_whether_they_are_committed() {
    type Break = fn(&Hostile);
    let ways: [(&str, Break); 5] = [
        ("bare", |tree| tree.append(".git/config", "[core]\nbare = true\n")),
        ("a broken branch", |tree| tree.write(".git/refs/heads/main", "garbage\n")),
        ("a lost commit", |tree| tree.write(".git/refs/heads/main", &format!("{}\n", "12".repeat(20)))),
        ("no HEAD", |tree| std::fs::remove_file(tree.root().join(".git/HEAD")).unwrap()),
        ("a broken index", |tree| tree.write(".git/index", "garbage")),
    ];
    for (what, destroy) in ways {
        let tree = repository();
        destroy(&tree);
        let before = tree.read("a.c");
        let said = tree.run(&["fix", "-p", "build"]);
        assert!(said.status == 2 && said.text.contains("use --allow-dirty to fix them anyway"), "{what}: {said:?}");
        assert_eq!(tree.read("a.c"), before, "{what}");
        let said = tree.run(&["fix", "-p", "build", "--allow-dirty"]);
        assert!(said.status == 0 && tree.read("a.c") != before, "{what}: {said:?}");
    }
    // Without a repository there is nothing to know.
    let tree = Hostile::new();
    assert_eq!(tree.check(&[]).findings, [BREACH]);
    let said = tree.run(&["fix", "-p", "build"]);
    assert_eq!((said.status, tree.check(&[]).findings.len()), (0, 0), "{said:?}");
}
