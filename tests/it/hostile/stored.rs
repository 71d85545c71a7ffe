//! Indexes and facts files that somebody changed, with checksums that are right: they are refused or used.

use std::path::{Path, PathBuf};

use cowrap_packs::Settings;
use cowrap_session::{Input, LinkRequest, Progress, Query, Request, ask, check, link};

use crate::differential::numbers::Numbers;

/// How many changed files of each kind are tried, by default; `COWRAP_HOSTILE_FILES` asks for more.
const FILES: u64 = 120;

/// Nobody watches.
struct Quiet;

impl Progress for Quiet {
    fn start(&self, _: usize) {}
    fn step(&self) {}
    fn finish(&self) {}
}

/// A file that cowrap wrote: a line with the format, the content, and a checksum.
struct Written {
    head: Vec<u8>,
    content: Vec<u8>,
}

impl Written {
    fn read(path: &Path) -> Written {
        let bytes = std::fs::read(path).expect("cowrap wrote it");
        let line = bytes.iter().position(|byte| *byte == b'\n').expect("a line with the format") + 1;
        let written = Written { head: bytes[..line].to_vec(), content: bytes[line..bytes.len() - 4].to_vec() };
        assert_eq!(written.with(&written.content), bytes, "the checksum is a CRC-32");
        written
    }

    /// The file with another content.
    fn with(&self, content: &[u8]) -> Vec<u8> {
        [&self.head, content, &crc32(content).to_le_bytes()].concat()
    }

    /// The content with a few changes.
    fn changed(&self, seed: u64) -> Vec<u8> {
        let mut numbers = Numbers::new(seed);
        let mut content = self.content.clone();
        for _ in 0..numbers.between(1, 4) {
            let at = numbers.below(content.len());
            let end = (at + numbers.between(1, 8)).min(content.len());
            match numbers.below(5) {
                0 => content[at] = content[at].wrapping_add(1),
                1 => content[at] = *numbers.pick(&[0, 1, 2, 0x7f, 0x80, 0xff]),
                2 => drop(content.splice(at..at + 1, [0xff, 0xff, 0x03])),
                3 => drop(content.drain(at..end)),
                _ => {
                    let copy = content[at..end].to_vec();
                    content.splice(at..at, copy);
                }
            }
        }
        content
    }
}

/// The checksum of zip files.
fn crc32(bytes: &[u8]) -> u32 {
    let step =
        |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ ((sum & 1) * 0xedb8_8320));
    !bytes.iter().fold(!0, step)
}

fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("COWRAP_HOSTILE_FILES").map_or(FILES, |files| files.parse().expect("a number"))
}

fn miniblock() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/miniblock")
}

/// Runs cowrap over a small tree.
fn cowrap(arguments: &[&str]) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cowrap"));
    let output = command.current_dir(miniblock()).args(arguments).output().expect("cowrap runs");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
}

#[test]
fn a_forged_index_is_refused_or_used() {
    let scratch = tempfile::tempdir().expect("a directory");
    let path = scratch.path().join("tree.index");
    cowrap(&["index", "-p", ".", "--no-cache", "-o", path.to_str().expect("UTF-8")]);
    let written = Written::read(&path);
    let request = Request::new(Input::Index(path.clone()), miniblock());
    assert!(check(&request, &Quiet).expect("it is as cowrap wrote it").summary.errors > 0);
    let mut used = 0;
    for seed in seeds() {
        std::fs::write(&path, written.with(&written.changed(seed))).expect("a file");
        let outcome = std::panic::catch_unwind(|| {
            let query = Query::Why { function: "bdrv_flush".to_owned(), to: None, all: true };
            let _ = ask(&request, &query, &Quiet);
            check(&request, &Quiet).is_ok()
        });
        used += usize::from(outcome.unwrap_or_else(|_| panic!("seed {seed}: see above")));
    }
    assert!(used > 0, "some changes are of texts");
}

#[test]
fn forged_facts_are_refused_or_linked() {
    let scratch = tempfile::tempdir().expect("a directory");
    let path = scratch.path().join("all.facts");
    cowrap(&["index", "-p", ".", "--no-cache", "--shard", "1/1", "-o", path.to_str().expect("UTF-8")]);
    let written = Written::read(&path);
    let request = LinkRequest {
        facts: vec![path.clone()],
        packs: Vec::new(),
        settings: Settings::default(),
        root: None,
        allow_missing: true,
    };
    assert!(link(&request).is_ok(), "it is as cowrap wrote it");
    for seed in seeds() {
        std::fs::write(&path, written.with(&written.changed(seed))).expect("a file");
        let outcome = std::panic::catch_unwind(|| link(&request).is_ok());
        assert!(outcome.is_ok(), "seed {seed}: see above");
    }
}
