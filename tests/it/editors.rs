//! Real editors, with the configurations of `docs/editors.md`: they open a file of a tree, see a finding, fix it with a
//! code action, and see that it is gone.
//!
//! What each editor does is in `editors/`. If an editor is not installed, its test is skipped, unless
//! `COWRAP_NEED_EDITORS` is set.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::copies::Copy;

/// Starts an editor with a tree of its own, and gives what it printed.
fn run(editor: &str, arguments: &[&Path]) -> Option<String> {
    if !is_installed(editor) {
        let needed = std::env::var_os("COWRAP_NEED_EDITORS").is_some();
        assert!(!needed, "{editor} is not installed; `sh .ci/setup --tests` installs it");
        eprintln!("skipped: {editor} is not installed");
        return None;
    }
    let tree = Copy::of_miniblock();
    // Emacs takes the root of a tree from version control.
    assert!(Command::new("git").args(["init", "--quiet"]).current_dir(&tree.root).status().unwrap().success());
    let home = tree.beside("home");
    std::fs::create_dir(&home).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_cowrap")).parent().unwrap().to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new(editor);
    command.args(arguments).current_dir(&tree.root).env("PATH", path).env("HOME", &home);
    for directory in ["CACHE", "CONFIG", "DATA", "STATE"] {
        command.env(format!("XDG_{directory}_HOME"), home.join(directory.to_lowercase()));
    }
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{stdout}{stderr}");
    Some(stdout.into_owned())
}

fn is_installed(editor: &str) -> bool {
    Command::new(editor).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// A block of code in `docs/editors.md`: the first one after a line that begins with `heading`. The second part of the
/// result keeps the file.
fn configuration(heading: &str, ending: &str) -> (PathBuf, tempfile::TempDir) {
    let page = std::fs::read_to_string(root().join("docs/editors.md")).unwrap();
    let lines = page.lines().skip_while(|line| !line.starts_with(heading)).skip_while(|line| !line.starts_with("```"));
    let code: Vec<&str> = lines.skip(1).take_while(|line| *line != "```").collect();
    assert!((1..=10).contains(&code.len()), "{heading}: {code:?}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(format!("configuration.{ending}"));
    std::fs::write(&file, code.join("\n")).unwrap();
    (file, directory)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn assert_fixed(printed: &str) {
    assert!(printed.contains("`coroutine_fn` `bdrv_co_flush` called from unmarked `img_sync`"), "{printed}");
    assert!(printed.contains("fixed: return bdrv_flush(bs);"), "{printed}");
}

#[test]
fn neovim_shows_findings_and_fixes_them() {
    let version = Command::new("nvim").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version);
    let minor = version.strip_prefix("NVIM v0.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    let heading = if minor.is_some_and(|minor| minor < 11) { "Earlier versions" } else { "0.11 and later" };
    let (configuration, _directory) = configuration(heading, "lua");
    let script = root().join("tests/it/editors/neovim.lua");
    let arguments = ["--headless", "-n", "-i", "NONE", "-u"].map(Path::new);
    let arguments = [&arguments[..], &[&configuration, Path::new("mini-img.c"), Path::new("-S"), &script]].concat();
    if let Some(printed) = run("nvim", &arguments) {
        assert_fixed(&printed);
    }
}

#[test]
fn emacs_shows_findings_and_fixes_them() {
    let (configuration, _directory) = configuration("## Emacs", "el");
    let script = root().join("tests/it/editors/emacs.el");
    let arguments = [Path::new("--batch"), Path::new("-l"), &configuration, Path::new("-l"), &script];
    if let Some(printed) = run("emacs", &arguments) {
        assert_fixed(&printed);
    }
}
