//! Splitting commands into arguments: shell quoting and response files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cowrap_base::files::{ReadRefusal, Shown, read_regular, refusal};

/// How deep response files may be nested.
const DEEPEST: usize = 8;

/// How many bytes of response files one entry may read. Real ones are below 1 MiB. Without a limit,
/// two files that include each other many times would fill the memory.
const MOST_BYTES: u64 = 4 << 20;

/// libclang takes C strings, which would end at a NUL byte.
pub(super) const CONTAINS_NUL: &str = "it contains a NUL byte";

/// A refused argument, and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RefusedWord {
    pub(super) word: Vec<u8>,
    pub(super) reason: String,
}

/// Splits a command like a POSIX shell without expansions; `None` when a quote is unbalanced.
pub(super) fn split(command: &[u8]) -> Option<Vec<Vec<u8>>> {
    shlex::bytes::split(command)
}

/// Replaces each argument `@FILE` by the arguments in that file, as compilers do before they look
/// at options.
///
/// `FILE` is relative to `directory`, and its real path must be below one of `roots` (which are
/// real paths). Fails on a file that is elsewhere or cannot be read, on files that include each
/// other in a circle or too deeply, and on an argument with a NUL byte.
pub(super) fn expand_response_files(
    words: Vec<Vec<u8>>,
    directory: &Path,
    roots: &[PathBuf],
) -> Result<Vec<Vec<u8>>, RefusedWord> {
    let mut expansion = Expansion { directory, roots, open: Vec::new(), bytes_left: MOST_BYTES, words: Vec::new() };
    expansion.add(words)?;
    Ok(expansion.words)
}

struct Expansion<'a> {
    directory: &'a Path,
    roots: &'a [PathBuf],
    /// The response files being read, outermost first.
    open: Vec<PathBuf>,
    bytes_left: u64,
    words: Vec<Vec<u8>>,
}

impl Expansion<'_> {
    fn add(&mut self, words: Vec<Vec<u8>>) -> Result<(), RefusedWord> {
        for word in words {
            if word.contains(&0) {
                return Err(RefusedWord { word, reason: CONTAINS_NUL.to_owned() });
            }
            match word.strip_prefix(b"@") {
                Some(name) => match self.add_file(name) {
                    Ok(()) => {}
                    Err(ExpansionError::Here(reason)) => return Err(RefusedWord { word, reason }),
                    Err(ExpansionError::Inside(refused)) => return Err(refused),
                },
                None => self.words.push(word),
            }
        }
        Ok(())
    }

    fn add_file(&mut self, name: &[u8]) -> Result<(), ExpansionError> {
        let unreadable =
            |error: std::io::Error| ExpansionError::Here(format!("the response file cannot be read: {error}"));
        let path = self.directory.join(OsStr::from_bytes(name)).canonicalize().map_err(unreadable)?;
        if !self.roots.iter().any(|root| path.starts_with(root)) {
            let roots: Vec<String> = self.roots.iter().map(|root| root.shown().to_string()).collect();
            return Err(ExpansionError::Here(format!("the response file is not below {}", roots.join(" or "))));
        }
        if self.open.contains(&path) {
            return Err(ExpansionError::here("the response file includes itself"));
        }
        if self.open.len() >= DEEPEST {
            return Err(ExpansionError::here("response files are nested too deeply"));
        }
        let text = read_regular(&path, self.bytes_left).map_err(|error| match refusal(&error) {
            Some(ReadRefusal::TooLarge { .. }) => {
                ExpansionError::here("the response files of this entry are too large")
            }
            Some(ReadRefusal::NotRegular(_)) => ExpansionError::here("the response file is not a regular file"),
            None => unreadable(error),
        })?;
        self.bytes_left = self.bytes_left.saturating_sub(text.len() as u64);
        self.open.push(path);
        self.add(split_response_file(&text)).map_err(ExpansionError::Inside)?;
        self.open.pop();
        Ok(())
    }
}

/// Where the error is, so that the innermost argument is reported.
enum ExpansionError {
    Here(String),
    Inside(RefusedWord),
}

impl ExpansionError {
    fn here(reason: &str) -> Self {
        ExpansionError::Here(reason.to_owned())
    }
}

/// Splits a response file by GCC's rules ("Overall Options", `@file`): white space separates
/// arguments, both kinds of quotes keep white space, and a backslash makes any character ordinary,
/// inside quotes too. The last quote may stay open.
fn split_response_file(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => word.get_or_insert_default().extend(bytes.next()),
            _ if quote == Some(byte) => quote = None,
            b'"' | b'\'' if quote.is_none() => {
                quote = Some(byte);
                // `""` is an empty argument.
                word.get_or_insert_default();
            }
            _ if quote.is_none() && byte.is_ascii_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}
