//! `cowrap server`, with a client that does what a test says, over a copy of `testdata/miniblock`.

mod actions;
mod client;
mod documents;
mod files;
mod hostile;
mod lifecycle;
mod published;
mod queries;
mod random;

use std::path::{Path, PathBuf};

use cowrap_session::{Input, Progress, Request, SharingRequest};
use tempfile::TempDir;

/// A tree of its own for a test.
pub struct Tree {
    _scratch: TempDir,
    root: PathBuf,
}

impl Tree {
    /// A copy of miniblock.
    pub fn miniblock() -> Tree {
        let tree = Tree::empty();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/miniblock"), &tree.root);
        tree
    }

    /// A tree with these files and a database of its C files.
    pub fn with(files: &[(&str, &str)]) -> Tree {
        let tree = Tree::empty();
        for (name, text) in files {
            tree.write(name, text);
        }
        tree.database(files.iter().map(|(name, _)| *name).filter(|name| name.ends_with(".c")));
        tree
    }

    pub fn empty() -> Tree {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap().join("tree");
        std::fs::create_dir(&root).unwrap();
        Tree { _scratch: scratch, root }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn database<'n>(&self, names: impl Iterator<Item = &'n str>) {
        let entry = |name: &str| {
            let command = format!("cc -Iinclude -c {name} -o {name}.o");
            serde_json::json!({ "directory": self.root, "file": name, "command": command })
        };
        let entries: Vec<serde_json::Value> = names.map(entry).collect();
        self.write("compile_commands.json", serde_json::to_string(&entries).unwrap());
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

struct Silent;

impl Progress for Silent {
    fn start(&self, _: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}

/// The report of a fresh check of a tree on the disk.
pub fn fresh(root: &Path) -> cowrap_report::Report {
    let settings = cowrap_session::Settings::find(root).map(|file| cowrap_session::Settings::read(&file).unwrap());
    let request = Request::new(Input::Database(None), root.to_path_buf());
    let enable = settings.as_ref().and_then(|settings| settings.enable.clone()).map(|enable| enable.value);
    let request = Request {
        settings: settings.unwrap_or_default(),
        enable: enable.unwrap_or_default(),
        sharing: SharingRequest::No,
        jobs: 2,
        ..request
    };
    cowrap_session::check(&request, &Silent).unwrap()
}

/// What a fresh check says, as [`client::Client::summary`] has it. Columns are those of UTF-16.
pub fn expected(root: &Path) -> Vec<(String, u64, u64, String, String)> {
    let report = fresh(root);
    let mut all: Vec<(String, u64, u64, String, String)> = report
        .findings
        .iter()
        .map(|finding| {
            let at = &finding.primary.at;
            let text = std::fs::read(root.join(&at.path)).unwrap();
            let line = text.split(|byte| *byte == b'\n').nth(at.line as usize - 1).unwrap();
            let before = String::from_utf8_lossy(&line[..at.column as usize - 1]);
            let character = before.chars().map(char::len_utf16).sum::<usize>() as u64;
            let file = at.path.to_str().unwrap().to_owned();
            (file, u64::from(at.line) - 1, character, finding.rule.clone(), finding.message.clone())
        })
        .collect();
    all.sort();
    all
}
