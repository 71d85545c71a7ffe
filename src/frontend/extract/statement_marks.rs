//! Marks that are statements in a body, as in `IO_CODE();`.
//!
//! They are macros. What they expand to does not matter: an assertion, a declaration, `do { } while (0)`, or nothing.
//! libclang has no cursor for the macro, so its name is read from the text where the statement begins; if the macro
//! expands to nothing, libclang shows the semicolon behind it, and the name is looked for before that. Code that the
//! preprocessor leaves out has no statements, and so no marks.

use rustc_hash::FxHashSet as HashSet;

use crate::clang::{Cursor, CursorKind, Location as RawLocation};
use cowrap_facts::{Location, Mark};

use super::Extractor;

/// What a piece of C text consists of, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// A name, a keyword or a number: its first byte, and the first one behind it.
    Word(usize, usize),
    /// Any other byte outside of comments and literals.
    Sign(u8, usize),
}

/// The tokens of a text. Comments, literals and blanks are left out.
struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let text = self.text;
        loop {
            let start = self.at;
            let byte = *text.get(start)?;
            let rest = &text[start..];
            let skip_to = |end: &[u8]| {
                let found = rest[2..].windows(end.len()).position(|bytes| bytes == end);
                found.map_or(text.len(), |position| start + 2 + position + end.len())
            };
            self.at = match byte {
                _ if byte.is_ascii_whitespace() => start + 1,
                b'/' if rest.starts_with(b"/*") => skip_to(b"*/"),
                b'/' if rest.starts_with(b"//") => skip_to(b"\n"),
                // A line that goes on in the next one.
                b'\\' if matches!(rest.get(1), Some(b'\n' | b'\r')) => start + 2,
                b'"' | b'\'' => end_of_literal(text, start),
                _ if is_word(byte) => {
                    // In a number, a quote separates digits.
                    let is_number = byte.is_ascii_digit();
                    let is_part = |byte: &&u8| is_word(**byte) || (is_number && **byte == b'\'');
                    self.at = start + rest.iter().take_while(is_part).count();
                    return Some(Token::Word(start, self.at));
                }
                _ => {
                    self.at = start + 1;
                    return Some(Token::Sign(byte, start));
                }
            };
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

/// Where a literal ends whose quote is at an offset. One that does not end is part of a line that is left out.
fn end_of_literal(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return at,
            _ if byte == text[start] => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// How far to look for the semicolon behind a macro's name, in bytes.
const LONGEST_CALL: usize = 1 << 14;

/// The offset of the semicolon behind a macro's name, if there is nothing between them but its arguments.
fn semicolon_behind(text: &[u8], name_end: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut is_called = false;
    // Parentheses that macros close are never closed in the text.
    let text = &text[..text.len().min(name_end + LONGEST_CALL)];
    for token in (Tokens { text, at: name_end }) {
        match token {
            Token::Sign(b'(', _) if depth > 0 || !is_called => (depth, is_called) = (depth + 1, true),
            Token::Sign(b')', _) if depth > 0 => depth -= 1,
            Token::Sign(b';', at) if depth == 0 => return Some(at),
            _ if depth > 0 => {}
            _ => return None,
        }
    }
    None
}

impl<'tu> Extractor<'_, 'tu> {
    /// The marks that are statements of a function's body, outside of other blocks; sorted by location.
    pub(super) fn statement_marks(&mut self, definition: Cursor<'tu>) -> Vec<Mark> {
        let (mut marks, mut known) = (Vec::new(), HashSet::default());
        if self.vocabulary.statement_marks.is_empty() {
            return marks;
        }
        let children = definition.children();
        let Some(block) = children.iter().find(|child| child.kind() == CursorKind::CompoundStmt) else { return marks };
        let Some(mut previous) = block.start() else { return marks };
        for mut statement in block.children() {
            while statement.kind() == CursorKind::LabelStmt
                && let Some(labelled) = statement.children().last()
            {
                statement = *labelled;
            }
            let Some(start) = statement.start() else { continue };
            let is_macro = statement.spelling_start() != Some(start);
            let mark = match statement.kind() {
                _ if is_macro => self.mark_at(start),
                CursorKind::NullStmt => self.mark_before(previous, start),
                _ => None,
            };
            marks.extend(mark.filter(|mark| known.insert(*mark)));
            previous = start;
        }
        marks.sort_unstable_by_key(|mark: &Mark| (mark.location, mark.mark));
        marks
    }

    /// The mark whose name is at a location, where a statement begins.
    fn mark_at(&mut self, start: RawLocation<'tu>) -> Option<Mark> {
        let contents = self.contents(start.file);
        let text = contents.get(start.offset as usize..)?;
        let Some(Token::Word(0, end)) = (Tokens { text, at: 0 }).next() else { return None };
        let mark = *self.vocabulary.statement_marks.get(std::str::from_utf8(&text[..end]).ok()?)?;
        semicolon_behind(text, end)?;
        Some(Mark { mark, location: self.location(start) })
    }

    /// The mark that is a statement with this semicolon, if the macro expands to nothing. `previous` is where the
    /// statement before it begins, or the block.
    fn mark_before(&mut self, previous: RawLocation<'tu>, semicolon: RawLocation<'tu>) -> Option<Mark> {
        if previous.file != semicolon.file {
            return None;
        }
        let contents = self.contents(semicolon.file);
        let (first, length) = (previous.offset as usize, semicolon.offset.checked_sub(previous.offset)? as usize);
        let text = contents.get(first..)?;
        for token in (Tokens { text: text.get(..length)?, at: 0 }) {
            let Token::Word(start, end) = token else { continue };
            let Some(&mark) =
                std::str::from_utf8(&text[start..end]).ok().and_then(|name| self.vocabulary.statement_marks.get(name))
            else {
                continue;
            };
            if semicolon_behind(text, end) == Some(length) {
                let before = &text[..start];
                let lines = before.iter().filter(|byte| **byte == b'\n').count() as u32;
                let column = match before.iter().rposition(|byte| *byte == b'\n') {
                    Some(line_end) => (start - line_end) as u32,
                    None => previous.column + start as u32,
                };
                let file = self.location(previous).file;
                return Some(Mark { mark, location: Location { file, line: previous.line + lines, column } });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_outside_of_comments_and_literals() {
        let words = |text: &str| -> Vec<String> {
            let tokens = Tokens { text: text.as_bytes(), at: 0 };
            let word = |token| match token {
                Token::Word(start, end) => Some(text[start..end].to_owned()),
                Token::Sign(..) => None,
            };
            tokens.filter_map(word).collect()
        };
        assert_eq!(words("a /* b */ c // d\n\"e\\\"f\" 'g' h"), ["a", "c", "h"]);
        assert_eq!(words("1'000 + x \\\n y"), ["1'000", "x", "y"]);
        assert_eq!(words("/* a"), Vec::<String>::new());
        assert_eq!(words("it's\nb"), ["it", "b"]);
        assert_eq!(words("/*/ a */ b"), ["b"]);
    }

    #[test]
    fn only_arguments_may_stand_between_a_name_and_its_semicolon() {
        let semicolon = |text: &str| semicolon_behind(text.as_bytes(), 4);
        assert_eq!(semicolon("MARK;"), Some(4));
        assert_eq!(semicolon("MARK();"), Some(6));
        assert_eq!(semicolon("MARK (f(1), ';') /* ; */ ;"), Some(25));
        assert_eq!(semicolon("MARK() + 1;"), None);
        assert_eq!(semicolon("MARK()();"), None);
        assert_eq!(semicolon("MARK f();"), None);
        assert_eq!(semicolon("MARK()\n#endif\n;"), None);
        assert_eq!(semicolon("MARK("), None);
    }
}
