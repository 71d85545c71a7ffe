//! What a repository can say: its configuration, and names and texts in what git prints.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use cowrap_base::git::config::entries;
use cowrap_base::git::output::{contents, raw_changes};

/// What git prints is refused, or becomes paths below the top of the tree and contents that are parts of it.
pub fn output(bytes: &[u8]) {
    if let Ok(changes) = raw_changes(bytes, Path::new("/top")) {
        assert!(changes.len() <= bytes.iter().filter(|byte| **byte == 0).count());
        for (name, path) in changes.iter().flat_map(|change| [&change.old, &change.new]).flatten() {
            // A byte that is no UTF-8 becomes a letter of three.
            assert!(path.is_absolute() && name.len() <= 3 * bytes.len());
        }
    }
    match contents(bytes) {
        Ok(contents) => assert!(contents.values().map(Vec::len).sum::<usize>() <= bytes.len()),
        Err(problem) => assert!(!problem.is_empty()),
    }
}

/// The reader of git's configuration finds whatever git finds, so that git reads no file that cowrap does not know.
pub fn config(bytes: &[u8]) {
    let own = entries(bytes);
    for entry in &own {
        assert!(!entry.key.is_empty());
    }
    // Each run of git takes milliseconds, and it is the names of files that matter.
    let names_files = bytes.to_ascii_lowercase().windows(4).any(|window| window == b"path" || window == b"file");
    if !names_files {
        return;
    }
    let own: BTreeSet<(String, String)> =
        own.into_iter().map(|entry| (format!("{}.{}", entry.section, entry.key), entry.value)).collect();
    for (name, value) in listed(bytes).unwrap_or_default() {
        let is_include = name == "include.path" || name.starts_with("includeif.") && name.ends_with(".path");
        let is_about_files = is_include || name == "core.excludesfile" || name == "core.attributesfile";
        assert!(
            !is_about_files || own.contains(&(name.clone(), value.clone())),
            "{name} = {value:?} is not in {own:?}"
        );
    }
}

/// The values that git lists; `None` if it refuses the file.
fn listed(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    thread_local! {
        static SCRATCH: tempfile::TempDir = tempfile::tempdir().expect("a scratch directory");
    }
    SCRATCH.with(|scratch| {
        let file = scratch.path().join("config");
        std::fs::write(&file, bytes).expect("a file");
        let mut git = Command::new("git");
        git.args(["config", "--null", "--list", "--no-includes", "--file"]).arg(file).current_dir(scratch.path());
        let output = git.stdin(Stdio::null()).stderr(Stdio::null()).output().expect("git is installed");
        if !output.status.success() {
            return None;
        }
        let values = output.stdout.split(|byte| *byte == 0).filter(|value| !value.is_empty());
        let values = values.map(|value| {
            let value = String::from_utf8_lossy(value).into_owned();
            let (name, value) = value.split_once('\n').unwrap_or((&value, ""));
            (name.to_owned(), value.to_owned())
        });
        Some(values.collect())
    })
}
