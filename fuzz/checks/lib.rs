//! What must hold when cowrap reads any bytes: one check for each reader of bytes that a stranger can write.
//!
//! A check takes any bytes, reads them, and panics if something does not hold that must. [`TARGETS`] lists the checks.
//! cargo-fuzz calls them with what libFuzzer makes up (`fuzz/fuzz_targets/`), and `cargo test` with the corpora in
//! `fuzz/corpus/` and with random changes of these (`tests/it/fuzz.rs`). So a check knows neither of them, and the
//! stable compiler runs what the fuzzer runs.
//!
//! That a reader ends is checked by whoever calls it, with a limit. The check [`repeated`] makes texts long that other
//! checks read, so that a reader that is not linear does not end in time.

#![warn(missing_docs)]

mod c_text;
mod database;
mod git;
mod packs;
mod program;
mod stored;
mod written;
mod repeated;

pub use repeated::repeated;

/// A reader of foreign bytes, and its check.
pub struct Target {
    /// The name of the fuzz target and of its corpus.
    pub name: &'static str,
    /// What it reads, in a few words.
    pub reads: &'static str,
    /// Panics if something does not hold.
    pub check: fn(&[u8]),
    /// The file in `fuzz/dictionaries/` with words of what it reads.
    pub dictionary: Option<&'static str>,
    /// Whether it reads texts, in linear time.
    pub is_linear: bool,
    /// Whether one input takes as long as ten of others.
    pub is_slow: bool,
}

/// All targets, sorted by name.
pub const TARGETS: &[Target] = &[
    target("baseline", "a baseline", written::baseline, Some("json"), true),
    target("cache", "the files of a cache", stored::cache, None, false),
    target("database", "a compilation database", database::database, Some("json"), true),
    target("diff", "two texts, for a diff", written::diff, None, false),
    target("edits", "C text that `cowrap fix` edits", c_text::edits, Some("c"), false),
    target("expression", "a path expression", program::expression, Some("expression"), true),
    slow(target("facts", "facts of a file, and a program of them", stored::facts, None, false)),
    target("git_config", "the configuration of a repository", git::config, Some("git"), false),
    target("git_output", "what git prints", git::output, None, true),
    target("lex", "C text, by the lexer", c_text::lex, Some("c"), true),
    target("meson", "what meson says of a build", stored::meson, Some("json"), false),
    target("pack", "a pack, and what it says of a program", packs::pack, Some("toml"), true),
    slow(target("program", "the program of an index", stored::program, None, false)),
    target("read_header", "a header with wrapper marks", c_text::read_header, Some("c"), true),
    slow(target("repeated", "long texts, by all readers that must be linear", repeated, Some("c"), false)),
    target("scan", "C text, by the scanner", c_text::scan, Some("c"), true),
    target("settings", "a `cowrap.toml`", packs::settings, Some("toml"), true),
    target("stat_cache", "a stat cache", stored::stat_cache, None, false),
    target("suppression", "comments that suppress findings", c_text::suppression, Some("c"), true),
    target("template", "a text with placeholders", packs::template, None, true),
    target("words", "the arguments of a compiler, in all forms", database::words, Some("words"), true),
];

const fn target(
    name: &'static str,
    reads: &'static str,
    check: fn(&[u8]),
    dictionary: Option<&'static str>,
    is_linear: bool,
) -> Target {
    Target { name, reads, check, dictionary, is_linear, is_slow: false }
}

const fn slow(target: Target) -> Target {
    Target { is_slow: true, ..target }
}

/// Runs the check of the target with this name, for its fuzz target.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a fuzz target has the name of a check");
    (target.check)(bytes);
}

/// What separates the parts of an input that has several.
pub const CUT: &[u8] = b"\xffcut\xff";

/// An input in two parts. Without a cut, the second one is empty.
fn two_parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.windows(CUT.len()).position(|window| window == CUT) {
        Some(at) => (&bytes[..at], &bytes[at + CUT.len()..]),
        None => (bytes, &[]),
    }
}
