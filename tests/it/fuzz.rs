//! What the fuzz targets check, without a fuzzer: over their corpora, and over random changes of these.
//!
//! The changes are the same in each run, so that a test that fails fails again. `COWRAP_FUZZ_CASES=100000` makes so many
//! for each target, others in each run; `COWRAP_FUZZ_TARGET=lex` for one target.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cowrap_fuzz_checks::{CUT, TARGETS, Target};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

/// How many inputs each target gets, by default; a slow one gets a tenth.
const CASES: u32 = 300;

/// How long all inputs of one target may take. What takes longer does not end.
const PATIENCE: Duration = Duration::from_secs(120);

/// One change of an input.
#[derive(Clone, Debug)]
enum Change {
    /// A byte becomes another.
    Byte(Index, u8),
    /// A word of the dictionary is inserted.
    Word(Index, Index),
    /// A range is left out.
    Remove(Index, Index),
    /// A range is repeated.
    Repeat(Index, Index, usize),
    /// The end becomes that of another input.
    Splice(Index, Index, Index),
}

#[test]
fn corpora_hold() {
    for target in TARGETS {
        let inputs = corpus(target);
        assert!(inputs.len() >= 2, "fuzz/corpus/{}: write some inputs", target.name);
        within_limit(target, move |now| {
            for (path, bytes) in inputs {
                now(&bytes);
                let held = std::panic::catch_unwind(|| (target.check)(&bytes));
                assert!(held.is_ok(), "{}: see above", path.display());
            }
        });
    }
}

#[test]
fn changed_inputs_hold() {
    let cases = std::env::var("COWRAP_FUZZ_CASES").ok().map(|cases| cases.parse().expect("a number"));
    let only = std::env::var("COWRAP_FUZZ_TARGET").ok();
    for target in TARGETS.iter().filter(|target| only.as_ref().is_none_or(|only| target.name == only)) {
        within_limit_of(target, cases.map_or(PATIENCE, |_| Duration::MAX), move |now| {
            let strategy = inputs(target);
            let by_default = if target.is_slow { CASES / 10 } else { CASES };
            let config = Config { cases: cases.unwrap_or(by_default), failure_persistence: None, ..Config::default() };
            let mut runner = match cases {
                Some(_) => TestRunner::new(config),
                None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
            };
            let result = runner.run(&strategy, |bytes| {
                now(&bytes);
                (target.check)(&bytes);
                Ok(())
            });
            if let Err(TestError::Fail(reason, bytes)) = result {
                panic!("{}: {reason}\n  the input is {}", target.name, saved(target, &bytes));
            }
        });
    }
}

/// Each check has a fuzz target and a dictionary that exists.
#[test]
fn targets_and_checks_are_one_set() {
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("the manifest");
    let programs: Vec<&str> =
        manifest.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(programs[1..], names, "fuzz/Cargo.toml");
    assert!(names.is_sorted());
    let page = std::fs::read_to_string(root().join("docs/development.md")).expect("the page");
    for Target { name, reads, dictionary, .. } in TARGETS {
        let source = std::fs::read_to_string(root().join(format!("fuzz/fuzz_targets/{name}.rs"))).expect("a target");
        assert!(source.contains(&format!("run(\"{name}\", bytes)")), "{source}");
        assert!(dictionary.is_none_or(|name| !words(name).is_empty()));
        assert!(page.contains(&format!("| `{name}` | {reads} |")), "docs/development.md lacks | `{name}` | {reads} |");
    }
    let corpora: BTreeSet<String> = entries(&root().join("fuzz/corpus")).iter().map(|path| file_name(path)).collect();
    assert_eq!(corpora, names.iter().map(|name| name.to_string()).collect(), "fuzz/corpus");
}

/// Inputs for a target: those of its corpus with changes, and words of its dictionary.
fn inputs(target: &'static Target) -> BoxedStrategy<Vec<u8>> {
    let corpus: Arc<Vec<Vec<u8>>> = Arc::new(corpus(target).into_iter().map(|(_, bytes)| bytes).collect());
    let mut words = target.dictionary.map(words).unwrap_or_default();
    words.extend([CUT.to_vec(), b"\n".to_vec(), Vec::new()]);
    let words = Arc::new(words);
    let changed = {
        let words = Arc::clone(&words);
        (any::<Index>(), prop::collection::vec(change(), 1..8)).prop_map(move |(first, changes)| {
            changes.iter().fold(first.get(&corpus).clone(), |bytes, change| change.made(bytes, &corpus, &words))
        })
    };
    let of_words = prop::collection::vec(any::<Index>(), 0..40).prop_map(move |chosen| {
        let chosen: Vec<&[u8]> = chosen.iter().map(|index| index.get(&words).as_slice()).collect();
        chosen.concat()
    });
    prop_oneof![4 => changed, 2 => of_words, 1 => prop::collection::vec(any::<u8>(), 0..200)].boxed()
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        2 => (place(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        3 => (place(), place()).prop_map(|(at, word)| Change::Word(at, word)),
        2 => (place(), place()).prop_map(|(one, other)| Change::Remove(one, other)),
        1 => (place(), place(), 2usize..40).prop_map(|(one, other, times)| Change::Repeat(one, other, times)),
        1 => (place(), place(), place()).prop_map(|(input, at, from)| Change::Splice(input, at, from)),
    ]
}

impl Change {
    fn made(&self, mut bytes: Vec<u8>, corpus: &[Vec<u8>], words: &[Vec<u8>]) -> Vec<u8> {
        let end = bytes.len() + 1;
        let range = |one: &Index, other: &Index| {
            let (one, other) = (one.index(end), other.index(end));
            one.min(other)..one.max(other)
        };
        match self {
            Change::Byte(at, byte) => match bytes.is_empty() {
                true => bytes.push(*byte),
                false => {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
            },
            Change::Word(at, word) => {
                let at = at.index(end);
                bytes.splice(at..at, word.get(words).iter().copied());
            }
            Change::Remove(one, other) => {
                bytes.drain(range(one, other));
            }
            Change::Repeat(one, other, times) => {
                let range = range(one, other);
                let repeated = bytes[range.clone()].repeat(*times);
                bytes.splice(range, repeated.into_iter().take(1 << 14));
            }
            Change::Splice(input, at, from) => {
                let other = input.get(corpus);
                bytes.truncate(at.index(end));
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
        }
        bytes
    }
}

/// Runs something in a thread of its own, with the stack of a main thread. It gets a function that says which input is
/// next.
fn within_limit(target: &'static Target, run: impl FnOnce(&dyn Fn(&[u8])) + Send + 'static) {
    within_limit_of(target, PATIENCE, run);
}

fn within_limit_of(target: &'static Target, limit: Duration, run: impl FnOnce(&dyn Fn(&[u8])) + Send + 'static) {
    let current = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&current);
    let (sender, receiver) = channel();
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(move || {
        run(&|bytes| *shared.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec());
        let _ = sender.send(());
    });
    let thread = thread.expect("a thread");
    let ended = match limit {
        Duration::MAX => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
        limit => receiver.recv_timeout(limit),
    };
    match ended {
        Ok(()) => {}
        Err(RecvTimeoutError::Disconnected) => std::panic::resume_unwind(thread.join().expect_err("it panicked")),
        Err(RecvTimeoutError::Timeout) => {
            let bytes = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
            panic!("{} does not end: the input is {}", target.name, saved(target, &bytes));
        }
    }
}

/// Saves an input that fails where cargo-fuzz would; returns its path.
fn saved(target: &Target, bytes: &[u8]) -> String {
    let directory = root().join("fuzz/artifacts").join(target.name);
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join("found"), bytes).expect("a file");
    format!("fuzz/artifacts/{}/found", target.name)
}

/// The committed inputs of a target, sorted by path.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = entries(&root().join("fuzz/corpus").join(target.name));
    paths.into_iter().map(|path| (path.clone(), std::fs::read(&path).expect("an input"))).collect()
}

/// The words of a dictionary in libFuzzer's form: quoted, with `\\`, `\"` and `\xAB`.
fn words(dictionary: &str) -> Vec<Vec<u8>> {
    let path = root().join(format!("fuzz/dictionaries/{dictionary}.dict"));
    let text = std::fs::read_to_string(&path).expect("a dictionary");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| word(line).unwrap_or_else(|| panic!("{}: {line}", path.display()))).collect()
}

fn word(line: &str) -> Option<Vec<u8>> {
    let mut rest = line.strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut word = Vec::new();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => match rest.next()? {
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    word.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                }
                escaped @ (b'\\' | b'"') => word.push(escaped),
                _ => return None,
            },
            _ => word.push(byte),
        }
    }
    Some(word)
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
