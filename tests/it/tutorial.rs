//! `docs/packs.md`, followed step by step: every command is run, every file is changed as it says, and every output is
//! what the program prints. `UPDATE_EXPECT=1` rewrites the outputs.
//!
//! * The first block of `sh` copies the tree; all others run in the copy.
//! * A block without a language is what the block of `sh` before it prints; `…` stands for any lines.
//! * A block of `toml` is added to the file that the paragraph before it names last, and one of `diff` changes it.
//! * A block of `c` is in some file of the tree.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::expect::is_update;

/// Where the page copies the tree to.
const COPY: &str = "/tmp/kettle";

#[test]
fn the_tutorial_of_packs_can_be_followed() {
    let path = here().join("docs/packs.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut parts: Vec<String> = page.split("```").map(str::to_owned).collect();
    let mut reader = Reader { scratch: TempDir::new().unwrap(), has_tree: false, printed: None };
    for number in (1..parts.len()).step_by(2) {
        let (language, block) = parts[number].split_once('\n').unwrap();
        let paragraph = parts[number - 1].trim().rsplit("\n\n").next().unwrap();
        match language {
            "sh" => reader.run(block),
            "toml" => reader.append(&file_named_in(paragraph), block),
            "diff" => reader.change(&file_named_in(paragraph), block),
            "c" => reader.finds(block),
            "" => {
                let printed = reader.printed.take().expect("a command before its output");
                if is_update() && !matches(block, &printed) {
                    parts[number] = format!("\n{}\n", printed.trim_end());
                } else {
                    assert!(matches(block, &printed), "the page has\n{block}and the program prints\n{printed}");
                }
            }
            other => panic!("a block of {other}"),
        }
    }
    if is_update() {
        std::fs::write(&path, parts.join("```")).unwrap();
    }
}

/// Somebody who follows the page.
struct Reader {
    scratch: TempDir,
    has_tree: bool,
    /// What the last commands printed.
    printed: Option<String>,
}

impl Reader {
    fn tree(&self) -> PathBuf {
        self.scratch.path().join("kettle")
    }

    fn run(&mut self, commands: &str) {
        let tree = self.tree();
        let shown = tree.to_str().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_cowrap")).parent().unwrap().to_path_buf();
        let others = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths([program].into_iter().chain(std::env::split_paths(&others))).unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec 2>&1\n{}", commands.replace(COPY, shown))]);
        shell.env("PATH", path).env("COWRAP_CACHE", self.scratch.path().join("cache"));
        shell.current_dir(if self.has_tree { &tree } else { here() });
        let printed = String::from_utf8(shell.output().unwrap().stdout).unwrap();
        assert!(tree.is_dir(), "{commands}{printed}");
        self.has_tree = true;
        self.printed = Some(printed.replace(shown, COPY));
    }

    fn append(&self, name: &str, text: &str) {
        let path = self.tree().join(name);
        let before = std::fs::read_to_string(&path).map(|text| text + "\n").unwrap_or_default();
        std::fs::write(path, before + text).unwrap();
    }

    fn change(&self, name: &str, diff: &str) {
        let side = |kept: [char; 2]| -> String {
            let lines = diff.lines().filter_map(|line| line.strip_prefix(kept));
            lines.map(|line| line.to_owned() + "\n").collect()
        };
        let (old, new) = (side([' ', '-']), side([' ', '+']));
        let path = self.tree().join(name);
        let before = std::fs::read_to_string(&path).unwrap();
        assert_eq!(before.matches(&old).count(), 1, "{name} has\n{before}and should have once\n{old}");
        std::fs::write(path, before.replace(&old, &new)).unwrap();
    }

    fn finds(&self, text: &str) {
        let entries = [self.tree(), self.tree().join("include")].map(|directory| std::fs::read_dir(directory).unwrap());
        let mut texts =
            entries.into_iter().flatten().filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok());
        assert!(texts.any(|known| known.contains(text)), "no file of the tree has\n{text}");
    }
}

/// The last name of a file in a paragraph.
fn file_named_in(paragraph: &str) -> String {
    let code = paragraph.split('`').skip(1).step_by(2);
    code.filter(|name| name.contains('.')).last().expect("a file").to_owned()
}

/// Whether a text is what was printed, except that a line `…` stands for any lines.
fn matches(expected: &str, printed: &str) -> bool {
    let (expected, printed) = (format!("{}\n", expected.trim_end()), format!("{}\n", printed.trim_end()));
    let parts: Vec<&str> = expected.split("…\n").collect();
    let [first, middle @ .., last] = parts.as_slice() else { return expected == printed };
    let Some(rest) = printed.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    middle.iter().try_fold(rest, |rest, part| Some(rest.split_once(part)?.1)).is_some()
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
