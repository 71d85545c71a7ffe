//! Texts of files for people: safe for terminals, with lines and columns.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::read::{LONGEST_TEXT, read_source};
use super::{Overlay, Tree};

/// Whether a character changes what a terminal shows of the text around it: control characters, and
/// those that change the direction of writing or end a line.
pub fn is_deceptive(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text in which such characters are escaped.
pub fn without_deceptive(text: &str) -> Cow<'_, str> {
    if !text.contains(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_deceptive(c) {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Paths for messages.
pub trait Shown {
    /// The path in one line, without characters that change what a terminal shows of the text around
    /// it. They are escaped.
    fn shown(&self) -> ShownPath<'_>;
}

/// A path that is shown in a message; see [`Shown`].
#[derive(Clone, Copy, Debug)]
pub struct ShownPath<'p>(&'p Path);

impl Shown for Path {
    fn shown(&self) -> ShownPath<'_> {
        ShownPath(self)
    }
}

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_deceptive(&self.0.to_string_lossy()))
    }
}

/// How some services that run checks recognise commands to themselves in what a program prints,
/// anywhere in a line. Others take a line that begins with `::`.
const COMMANDS: &[&str] = &["##[", "##vso["];

/// A line that is no command to a service that runs checks. Other lines stay as they are.
pub fn without_commands(line: &str) -> Cow<'_, str> {
    let begins = line.trim_start().starts_with("::");
    if !begins && !COMMANDS.iter().any(|command| line.contains(command)) {
        return Cow::Borrowed(line);
    }
    let mut line = line.to_owned();
    for command in COMMANDS {
        line = line.replace(command, &command.replacen("##", "#\\u{23}", 1));
    }
    if begins { Cow::Owned(line.replacen(':', "\\u{3a}", 1)) } else { Cow::Owned(line) }
}

/// A file's text. Characters that could deceive a terminal are shown as `?`, and in a file that is
/// not UTF-8, so is every byte that is not ASCII.
#[derive(Debug)]
pub struct Source {
    text: String,
    /// The offset of each line's first byte.
    lines: Vec<usize>,
}

/// Texts of files, each read once.
#[derive(Debug)]
pub struct Sources<'o> {
    tree: &'o Tree,
    overlay: &'o Overlay,
    read: HashMap<PathBuf, Option<Arc<Source>>>,
}

/// Columns as people and most programs count them: in characters (code points), not in bytes.
#[derive(Debug)]
pub struct Columns<'o> {
    root: PathBuf,
    overlay: &'o Overlay,
    read: HashMap<PathBuf, Option<Lines>>,
}

/// A file's bytes, and the offset of each line's first byte.
#[derive(Debug)]
struct Lines {
    bytes: Vec<u8>,
    starts: Vec<usize>,
    counted: CountedCharacters,
}

/// Counts the characters of a text from the start of a line. It goes on where it stopped before: a
/// line can be long and have many locations.
#[derive(Debug, Default)]
pub struct CountedCharacters {
    last: Cell<Counted>,
}

/// What was counted last.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// Where the line begins.
    start: usize,
    /// How far it is counted.
    end: usize,
    characters: usize,
    /// Whether the bytes at `end` are no character.
    is_broken: bool,
}

impl CountedCharacters {
    /// How many characters there are between the start of a line and an offset; `None` if the bytes
    /// there are not UTF-8.
    pub fn between(&self, bytes: &[u8], start: usize, end: usize) -> Option<usize> {
        let last = self.last.get();
        let mut counted = match last.start == start && last.end <= end {
            true => last,
            false => Counted { start, end: start, ..Counted::default() },
        };
        if counted.end == end {
            return Some(counted.characters);
        }
        if counted.is_broken {
            return None;
        }
        let rest = bytes.get(counted.end..end)?;
        let (valid, error) = match std::str::from_utf8(rest) {
            Ok(text) => (text, None),
            Err(error) => (std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default(), Some(error)),
        };
        counted.characters += valid.chars().count();
        counted.end += valid.len();
        counted.is_broken = error.is_some_and(|error| error.error_len().is_some());
        self.last.set(counted);
        error.is_none().then_some(counted.characters)
    }
}

impl<'o> Columns<'o> {
    /// Columns in the files of a tree in some state. Relative paths start from its root.
    pub fn new(root: &Path, overlay: &'o Overlay) -> Columns<'o> {
        Columns { root: root.to_path_buf(), overlay, read: HashMap::new() }
    }

    /// The column in characters of a location whose column is in bytes; both count from 1. If the
    /// text cannot be read, is not UTF-8 or does not have the location, each byte counts as a
    /// character.
    pub fn in_characters(&mut self, path: &Path, line: u32, column: u32) -> u32 {
        self.before(path, line, column).map_or(column, |before| before as u32 + 1)
    }

    /// The number of characters of a line before a column.
    fn before(&mut self, path: &Path, line: u32, column: u32) -> Option<usize> {
        let path = self.root.join(path);
        let overlay = self.overlay;
        let lines = self.read.entry(path.clone()).or_insert_with(|| {
            let bytes = match overlay.text(&path) {
                Some(text) => text.to_vec(),
                None => read_source(&path, LONGEST_TEXT).ok()?,
            };
            let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
            let starts = std::iter::once(0).chain(ends).collect();
            Some(Lines { bytes, starts, counted: CountedCharacters::default() })
        });
        let Lines { bytes, starts, counted } = lines.as_ref()?;
        let number = (line as usize).checked_sub(1)?;
        let start = *starts.get(number)?;
        let end = starts.get(number + 1).copied().unwrap_or(bytes.len());
        let offset = start + (column as usize).checked_sub(1)?;
        (offset <= end).then(|| counted.between(bytes, start, offset))?
    }
}

impl Source {
    /// Splits a text into lines.
    pub fn new(bytes: &[u8]) -> Self {
        // Each byte that is not shown becomes one `?`, so that offsets and columns stay the same.
        let mut text = String::with_capacity(bytes.len());
        match std::str::from_utf8(bytes) {
            Ok(utf8) => {
                for c in utf8.chars() {
                    match is_deceptive(c) && !matches!(c, '\n' | '\r' | '\t') {
                        true => text.extend(std::iter::repeat_n('?', c.len_utf8())),
                        false => text.push(c),
                    }
                }
            }
            Err(_) => {
                let shown = |byte: &u8| byte.is_ascii() && (!byte.is_ascii_control() || b"\n\r\t".contains(byte));
                text.extend(bytes.iter().map(|byte| if shown(byte) { char::from(*byte) } else { '?' }));
            }
        }
        // The same length, so that offsets stay.
        let commands: &[&str] = if text.contains("##") { COMMANDS } else { &[] };
        for command in commands {
            text = text.replace(command, &command.replacen("##", "#?", 1));
        }
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { text, lines }
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The offset of each line's first byte.
    pub fn line_starts(&self) -> &[usize] {
        &self.lines
    }

    /// A line without its end; empty when there is no such line. Lines count from 1.
    pub fn line(&self, line: u32) -> &str {
        let number = (line as usize).wrapping_sub(1);
        let Some(&start) = self.lines.get(number) else { return "" };
        let end = self.lines.get(number + 1).map_or(self.text.len(), |next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }

    /// The offset of a location, if the text has it. Line and column count from 1, the column in
    /// bytes.
    pub fn offset(&self, line: u32, column: u32) -> Option<usize> {
        let length = self.line(line).len();
        let column = (column as usize).checked_sub(1)?;
        let offset = self.lines.get((line as usize).checked_sub(1)?)? + column;
        (column <= length && self.text.is_char_boundary(offset)).then_some(offset)
    }

    /// The length in bytes of the word at a location; 1 when there is none.
    pub fn word_length(&self, line: u32, column: u32) -> usize {
        let Some(offset) = self.offset(line, column) else { return 1 };
        let word = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        self.text[offset..].chars().take_while(word).count().max(1)
    }
}

impl<'o> Sources<'o> {
    /// Texts of files in some state of a tree.
    pub fn new(tree: &'o Tree, overlay: &'o Overlay) -> Sources<'o> {
        Sources { tree, overlay, read: HashMap::new() }
    }

    /// A file's text; `None` when it cannot be read, or must not be quoted.
    pub fn get(&mut self, path: &Path) -> Option<Arc<Source>> {
        if let Some(known) = self.read.get(path) {
            return known.clone();
        }
        let source = match self.overlay.text(path) {
            Some(text) => Some(Arc::new(Source::new(text))),
            None if !self.tree.may_quote(path) => None,
            None => read_source(path, LONGEST_TEXT).ok().map(|bytes| Arc::new(Source::new(&bytes))),
        };
        self.read.insert(path.to_path_buf(), source.clone());
        source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_offsets() {
        let source = Source::new(b"ab\r\ncd_e f\n");
        assert_eq!(source.line(1), "ab");
        assert_eq!(source.offset(2, 1), Some(4));
        assert_eq!(source.word_length(2, 1), 4);
        assert_eq!(source.word_length(2, 5), 1);
        assert_eq!(source.offset(2, 99), None);
        assert_eq!(source.offset(0, 1), None);
        assert_eq!(source.offset(9, 1), None);
    }

    #[test]
    fn no_line_is_a_command() {
        let path = Path::new("a\n::error::b\u{1b}[31m");
        assert_eq!(path.shown().to_string(), "a\\n::error::b\\u{1b}[31m");
        for line in ["a::b", "#[x]", "# #[", ": :", ""] {
            assert_eq!(without_commands(line), line);
        }
        assert_eq!(without_commands("  ::error::x"), "  \\u{3a}:error::x");
        assert_eq!(without_commands("a ##vso[task] ##[group]"), "a #\\u{23}vso[task] #\\u{23}[group]");
        assert_eq!(Source::new(b"/* ##vso[x] */ f").text(), "/* #?vso[x] */ f");
    }

    #[test]
    fn what_deceives_a_terminal_is_not_shown() {
        let source = Source::new("a\u{1b}[31m\u{202e}b\tc\u{9b}d é\n".as_bytes());
        assert_eq!(source.text(), "a?[31m???b\tc??d é\n");
        assert_eq!(Source::new(b"a\x1b\xff\tb").text(), "a??\tb");
    }

    #[test]
    fn columns_count_characters() {
        let scratch = tempfile::tempdir().unwrap();
        let written = |name: &str, bytes: &[u8]| std::fs::write(scratch.path().join(name), bytes).unwrap();
        written("a.c", "first\n/* \u{e9}\u{202e}\u{1f600} */ x\n".as_bytes());
        written("latin.c", b"/* \xe9 */ x");
        let overlay = Overlay::default();
        let mut columns = Columns::new(scratch.path(), &overlay);
        assert_eq!(columns.in_characters(Path::new("a.c"), 1, 3), 3);
        assert_eq!(columns.in_characters(Path::new("a.c"), 2, 17), 11);
        assert_eq!(columns.in_characters(Path::new("latin.c"), 1, 9), 9);
        for (path, line, column) in [("none.c", 1, 7), ("a.c", 9, 7), ("a.c", 1, 99), ("a.c", 2, 5), ("a.c", 0, 0)] {
            assert_eq!(columns.in_characters(Path::new(path), line, column), column, "{path}:{line}:{column}");
        }
    }

    #[test]
    fn characters_are_counted_from_where_the_count_stopped() {
        let text = "ab\u{e9}\u{1f600}c".as_bytes();
        let counted = CountedCharacters::default();
        let all = [(0, 2), (0, 3), (0, 4), (0, 8), (0, 9), (0, 1), (2, 8), (0, 4), (0, 99)];
        let found = all.map(|(start, end)| counted.between(text, start, end));
        assert_eq!(found, [Some(2), None, Some(3), Some(4), Some(5), Some(1), Some(2), Some(3), None]);
        let counted = CountedCharacters::default();
        assert_eq!(
            [2, 3, 4, 2, 1].map(|end| counted.between(b"ab\xffcd", 0, end)),
            [Some(2), None, None, Some(2), Some(1)]
        );
    }

    #[test]
    fn offsets_stay_true_in_text_that_is_not_utf8() {
        let source = Source::new(b"/* \xe9 */ name");
        assert_eq!(source.offset(1, 9).map(|at| &source.text()[at..]), Some("name"));
    }
}
