//! The C lexer for everything that reads or edits C text without a compiler: edits, wrapper
//! generation, suppression comments.
//!
//! # What it guarantees
//!
//! * It is lossless: the tokens are never empty, and their bytes, one token after the other, are
//!   the text.
//! * Any bytes are a text. Bytes that C has no use for become [`Kind::Unknown`] tokens.
//! * It takes time linear in the length of the text.
//!
//! # What it knows
//!
//! * Comments of both forms. A block comment that does not end goes on to the end of the text.
//! * Continued lines: a `\`, blanks or none, and a line end, also in the middle of a token. Between
//!   tokens they are tokens of their own; [`Token::spelling`] leaves out those inside of a token.
//! * Preprocessor directives: which tokens are part of one, and which `#` begins one. The file name
//!   behind `#include` is one token.
//! * String and character literals with their prefixes. A literal ends with its line at the latest:
//!   an apostrophe in text that is never compiled does not swallow the lines behind it.
//! * Preprocessing numbers, with the separators of C23 (`1'000`).
//! * Punctuators by longest match. Digraphs are the punctuators that they stand for.
//! * A byte order mark at the beginning.
//!
//! # What it does not do
//!
//! * It expands no macro and decides no condition.
//! * It replaces no trigraphs, as compilers in their default modes.
//! * It knows no raw strings: they are not in C.
//! * A carriage return is part of a line end only before a line feed; elsewhere it is a blank.
//!
//! The scanner in `frontend` has another lexer, which is faster, keeps fewer distinctions, and
//! follows clang alone.

use std::borrow::Cow;
use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or a keyword. Bytes beyond ASCII are letters, and so is `$`.
    Word,
    /// A preprocessing number.
    Number,
    /// A string literal with its prefix.
    String,
    /// A character literal with its prefix.
    Character,
    /// The file name behind `#include`, with its quotes or angle brackets.
    HeaderName,
    /// A punctuator; for a digraph, the punctuator that it stands for.
    Punctuator(&'static str),
    /// The `#` that begins a preprocessor directive.
    Directive,
    /// A comment from `//` to the end of the line, without the line end.
    LineComment,
    /// A comment from `/*` to `*/`.
    BlockComment,
    /// A comment from `/*` to the end of the text.
    UnterminatedComment,
    /// Spaces, tabs and the like.
    Blank,
    /// A line feed, and the carriage return before it.
    LineEnd,
    /// A backslash before a line end: the line goes on in the next one.
    Splice,
    /// The mark with which some editors begin a file.
    ByteOrderMark,
    /// A byte that begins no other token.
    Unknown,
}

impl Kind {
    /// Whether this is a comment of any form.
    pub fn is_comment(self) -> bool {
        matches!(self, Kind::LineComment | Kind::BlockComment | Kind::UnterminatedComment)
    }

    /// Whether this only sets other tokens apart. Comments are not among these.
    pub fn is_space(self) -> bool {
        matches!(self, Kind::Blank | Kind::LineEnd | Kind::Splice | Kind::ByteOrderMark)
    }
}

/// A token, by its bytes in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its bytes; there is at least one.
    pub span: Range<usize>,
    /// Whether it is part of a directive. The line end behind a directive is not.
    pub in_directive: bool,
}

impl Token {
    /// The bytes of the token in the text that it comes from, without continued lines.
    pub fn spelling<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        without_splices(&text[self.span.clone()])
    }
}

/// Takes a text apart.
pub fn lex(text: &[u8]) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, state: State::LineStart };
    let mut tokens = Vec::with_capacity(text.len() / 4);
    while lexer.at < text.len() {
        tokens.push(lexer.token());
    }
    tokens
}

/// A piece of text without its continued lines.
pub fn without_splices(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', text) else { return Cow::Borrowed(text) };
    if !has_splice(&text[first..]) {
        return Cow::Borrowed(text);
    }
    let mut joined = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match splice(text, at) {
            0 => {
                joined.push(text[at]);
                at += 1;
            }
            length => at += length,
        }
    }
    Cow::Owned(joined)
}

/// Whether a line of a text is continued on the next one.
pub fn has_splice(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\\', text).any(|at| splice(text, at) > 0)
}

/// Whether a byte can be part of a word; bytes beyond ASCII can.
pub const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// For each byte, whether it can be part of a word.
const WORD_BYTES: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < bytes.len() {
        bytes[byte] = is_word_byte(byte as u8);
        byte += 1;
    }
    bytes
};

/// The length of the continued line end at an offset; 0 if there is none.
fn splice(text: &[u8], at: usize) -> usize {
    if text.get(at) != Some(&b'\\') {
        return 0;
    }
    // Compilers allow blanks behind the backslash, with a warning.
    let blanks = text[at + 1..].iter().take_while(|byte| is_blank(**byte)).count();
    match text.get(at + 1 + blanks) {
        Some(b'\n') => blanks + 2,
        _ => 0,
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where the lexer is in a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Only blanks and comments are before it on the line: a `#` begins a directive.
    LineStart,
    /// Behind the `#` of a directive: the directive's name follows.
    DirectiveName,
    /// Behind `#include`: the name of a file follows, or a macro.
    HeaderName,
    /// Elsewhere in a directive.
    Directive,
    /// Elsewhere.
    Code,
}

struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    state: State,
}

impl Lexer<'_> {
    /// The token here; the text does not end here.
    fn token(&mut self) -> Token {
        let start = self.at;
        let mut kind = self.scan(self.text[start]);
        let span = start..self.at;
        if kind == Kind::Punctuator("#") && self.state == State::LineStart {
            kind = Kind::Directive;
        }
        self.state = match (kind, self.state) {
            (Kind::LineEnd, _) => State::LineStart,
            (kind, state) if kind.is_space() || kind.is_comment() => state,
            (Kind::Directive, _) => State::DirectiveName,
            (_, State::LineStart | State::Code) => State::Code,
            (Kind::Word, State::DirectiveName) if names_a_file(&without_splices(&self.text[span.clone()])) => {
                State::HeaderName
            }
            _ => State::Directive,
        };
        let in_directive = !matches!(self.state, State::LineStart | State::Code);
        Token { kind, span, in_directive }
    }

    /// Goes over the token here, which begins with the byte `first`.
    fn scan(&mut self, first: u8) -> Kind {
        match first {
            // Most tokens are of these.
            b' ' => self.blanks(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(),
            b'\n' => self.skip(1, Kind::LineEnd),
            b'\r' if self.text.get(self.at + 1) == Some(&b'\n') => self.skip(2, Kind::LineEnd),
            _ if is_blank(first) => self.blanks(),
            b'\\' => match splice(self.text, self.at) {
                0 => self.skip(1, Kind::Unknown),
                length => self.skip(length, Kind::Splice),
            },
            0xef if self.at == 0 && self.text.starts_with(BYTE_ORDER_MARK) => {
                self.skip(BYTE_ORDER_MARK.len(), Kind::ByteOrderMark)
            }
            b'0'..=b'9' => self.number(),
            b'.' if self.nth(1).is_some_and(|(next, _)| next.is_ascii_digit()) => self.number(),
            _ if is_word_byte(first) => self.word(),
            b'"' | b'<' if self.state == State::HeaderName && self.header_name(first) => Kind::HeaderName,
            b'"' | b'\'' => self.literal(first),
            b'/' => match self.nth(1) {
                Some((b'/', end)) => self.line_comment(end),
                Some((b'*', end)) => self.block_comment(end),
                _ => self.punctuator(),
            },
            _ => self.punctuator(),
        }
    }

    fn skip(&mut self, length: usize, kind: Kind) -> Kind {
        self.at += length;
        kind
    }

    /// The byte at an offset or behind the continued lines there, and the offset behind it.
    fn peek(&self, mut at: usize) -> Option<(u8, usize)> {
        while let length @ 1.. = splice(self.text, at) {
            at += length;
        }
        Some((*self.text.get(at)?, at + 1))
    }

    /// The byte that is this number of bytes ahead, continued lines left out, and the offset behind it.
    fn nth(&self, ahead: usize) -> Option<(u8, usize)> {
        (0..ahead).try_fold(self.peek(self.at)?, |(_, end), _| self.peek(end))
    }

    /// Goes on while bytes belong to the token. A `\\` does not.
    fn run(&mut self, belongs: impl Fn(u8) -> bool) {
        loop {
            self.at += self.text[self.at..].iter().take_while(|byte| belongs(**byte)).count();
            // Continued lines are rare.
            match self.peek(self.at) {
                Some((byte, end)) if end > self.at + 1 && belongs(byte) => self.at = end,
                _ => break,
            }
        }
    }

    fn blanks(&mut self) -> Kind {
        let is_line_end = |at: usize| self.text[at..].starts_with(b"\r\n");
        let mut end = self.at + self.text[self.at..].iter().take_while(|byte| **byte == b' ').count();
        while self.text.get(end).is_some_and(|byte| is_blank(*byte)) && !is_line_end(end) {
            end += 1;
        }
        self.skip(end - self.at, Kind::Blank)
    }

    /// A word, or a literal whose prefix looks like one.
    fn word(&mut self) -> Kind {
        let start = self.at;
        self.run(|byte| WORD_BYTES[usize::from(byte)]);
        match self.peek(self.at) {
            Some((quote @ (b'"' | b'\''), end)) if is_prefix(&without_splices(&self.text[start..self.at])) => {
                self.at = end - 1;
                self.literal(quote)
            }
            _ => Kind::Word,
        }
    }

    fn number(&mut self) -> Kind {
        let mut last = 0;
        while let Some((byte, end)) = self.peek(self.at) {
            let belongs = match byte {
                b'+' | b'-' => matches!(last, b'e' | b'E' | b'p' | b'P'),
                b'\'' => self.peek(end).is_some_and(|(next, _)| next.is_ascii_alphanumeric()),
                _ => byte == b'.' || is_word_byte(byte),
            };
            if !belongs {
                break;
            }
            (last, self.at) = (byte, end);
        }
        Kind::Number
    }

    /// Goes on to the first byte that may be special, or to the end of the text.
    fn skip_plain(&mut self, special: impl Fn(&[u8]) -> Option<usize>) {
        let rest = &self.text[self.at..];
        self.at += special(rest).unwrap_or(rest.len());
    }

    /// A literal that begins with a quote here.
    fn literal(&mut self, quote: u8) -> Kind {
        self.at += 1;
        // Most literals have no escapes: `is_line_end` looks for a line feed, perhaps behind a carriage return.
        self.skip_plain(|text| text.iter().position(|byte| matches!(byte, b'\n' | b'\r' | b'\\') || *byte == quote));
        while let Some((byte, end)) = self.peek(self.at) {
            if self.is_line_end(end - 1) {
                break;
            }
            self.at = end;
            match byte {
                b'\\' => {
                    // What is escaped may be a quote, but never a line end.
                    if let Some((_, end)) = self.peek(end).filter(|(_, end)| !self.is_line_end(end - 1)) {
                        self.at = end;
                    }
                }
                _ if byte == quote => break,
                _ => {}
            }
        }
        if quote == b'"' { Kind::String } else { Kind::Character }
    }

    /// Goes over a file name if it ends on this line. There are no escapes in it.
    fn header_name(&mut self, open: u8) -> bool {
        let close = if open == b'<' { b'>' } else { open };
        let mut at = self.at + 1;
        while let Some((byte, end)) = self.peek(at).filter(|(_, end)| !self.is_line_end(end - 1)) {
            at = end;
            if byte == close {
                self.at = end;
                return true;
            }
        }
        false
    }

    fn line_comment(&mut self, begins: usize) -> Kind {
        self.at = begins;
        self.skip_plain(|text| memchr::memchr3(b'\n', b'\r', b'\\', text));
        while let Some((_, end)) = self.peek(self.at).filter(|(_, end)| !self.is_line_end(end - 1)) {
            self.at = end;
        }
        Kind::LineComment
    }

    fn block_comment(&mut self, begins: usize) -> Kind {
        let mut at = begins;
        while let Some(length) = memchr::memchr(b'*', &self.text[at..]) {
            at += length + 1;
            if let Some((b'/', end)) = self.peek(at) {
                self.at = end;
                return Kind::BlockComment;
            }
        }
        self.at = self.text.len();
        Kind::UnterminatedComment
    }

    fn is_line_end(&self, at: usize) -> bool {
        matches!(self.text.get(at..), Some([b'\n', ..] | [b'\r', b'\n', ..]))
    }

    fn punctuator(&mut self) -> Kind {
        // These are no part of a longer one.
        let alone = match self.text[self.at] {
            b'(' => "(",
            b')' => ")",
            b'[' => "[",
            b']' => "]",
            b'{' => "{",
            b'}' => "}",
            b';' => ";",
            b',' => ",",
            _ => "",
        };
        if !alone.is_empty() {
            return self.skip(1, Kind::Punctuator(alone));
        }
        let mut next = [self.text[self.at], 0, 0, 0];
        let mut ends = [self.at + 1, 0, 0, 0];
        let mut at = self.at + 1;
        // Behind most, something begins that is no punctuator.
        let joins = |byte: &u8| !WORD_BYTES[usize::from(*byte)] && !is_blank(*byte);
        let most = if self.text.get(at).is_some_and(joins) { 4 } else { 1 };
        for number in 1..most {
            let Some((byte, end)) = self.peek(at) else { break };
            (next[number], ends[number], at) = (byte, end, end);
        }
        match punctuator(next) {
            Some((meaning, length)) => {
                self.at = ends[length - 1];
                Kind::Punctuator(meaning)
            }
            None => self.skip(1, Kind::Unknown),
        }
    }
}

/// Whether the name of a file follows a directive of this name.
fn names_a_file(directive: &[u8]) -> bool {
    matches!(directive, b"include" | b"include_next" | b"import" | b"embed")
}

/// Whether a word before a quote is the prefix of a literal.
fn is_prefix(word: &[u8]) -> bool {
    matches!(word, b"L" | b"u" | b"U" | b"u8")
}

/// The longest punctuator that these bytes begin with: what it stands for, and its length.
fn punctuator(next: [u8; 4]) -> Option<(&'static str, usize)> {
    Some(match next {
        [b'%', b':', b'%', b':'] => ("##", 4),
        [b'.', b'.', b'.', _] => ("...", 3),
        [b'<', b'<', b'=', _] => ("<<=", 3),
        [b'>', b'>', b'=', _] => (">>=", 3),
        [b'-', b'>', ..] => ("->", 2),
        [b'+', b'+', ..] => ("++", 2),
        [b'-', b'-', ..] => ("--", 2),
        [b'<', b'<', ..] => ("<<", 2),
        [b'>', b'>', ..] => (">>", 2),
        [b'<', b'=', ..] => ("<=", 2),
        [b'>', b'=', ..] => (">=", 2),
        [b'=', b'=', ..] => ("==", 2),
        [b'!', b'=', ..] => ("!=", 2),
        [b'&', b'&', ..] => ("&&", 2),
        [b'|', b'|', ..] => ("||", 2),
        [b'*', b'=', ..] => ("*=", 2),
        [b'/', b'=', ..] => ("/=", 2),
        [b'%', b'=', ..] => ("%=", 2),
        [b'+', b'=', ..] => ("+=", 2),
        [b'-', b'=', ..] => ("-=", 2),
        [b'&', b'=', ..] => ("&=", 2),
        [b'^', b'=', ..] => ("^=", 2),
        [b'|', b'=', ..] => ("|=", 2),
        [b'#', b'#', ..] => ("##", 2),
        [b':', b':', ..] => ("::", 2),
        [b'<', b':', ..] => ("[", 2),
        [b':', b'>', ..] => ("]", 2),
        [b'<', b'%', ..] => ("{", 2),
        [b'%', b'>', ..] => ("}", 2),
        [b'%', b':', ..] => ("#", 2),
        [b'[', ..] => ("[", 1),
        [b']', ..] => ("]", 1),
        [b'(', ..] => ("(", 1),
        [b')', ..] => (")", 1),
        [b'{', ..] => ("{", 1),
        [b'}', ..] => ("}", 1),
        [b'.', ..] => (".", 1),
        [b'&', ..] => ("&", 1),
        [b'*', ..] => ("*", 1),
        [b'+', ..] => ("+", 1),
        [b'-', ..] => ("-", 1),
        [b'~', ..] => ("~", 1),
        [b'!', ..] => ("!", 1),
        [b'/', ..] => ("/", 1),
        [b'%', ..] => ("%", 1),
        [b'<', ..] => ("<", 1),
        [b'>', ..] => (">", 1),
        [b'^', ..] => ("^", 1),
        [b'|', ..] => ("|", 1),
        [b'?', ..] => ("?", 1),
        [b':', ..] => (":", 1),
        [b';', ..] => (";", 1),
        [b'=', ..] => ("=", 1),
        [b',', ..] => (",", 1),
        [b'#', ..] => ("#", 1),
        _ => return None,
    })
}

/// The lines of a text. Lines and columns count from 1, columns in bytes.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The offset of the first byte of each line.
    starts: Vec<usize>,
}

impl Lines {
    /// Finds the lines of a text.
    pub fn new(text: &[u8]) -> Lines {
        let ends = memchr::memchr_iter(b'\n', text).map(|at| at + 1);
        Lines { starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The line of an offset.
    pub fn line(&self, offset: usize) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32
    }

    /// The line and the column of an offset.
    pub fn line_column(&self, offset: usize) -> (u32, u32) {
        let line = self.line(offset);
        (line, (offset - self.starts[line as usize - 1]) as u32 + 1)
    }

    /// The offset of a line and a column; `None` when the text has no such line.
    pub fn offset(&self, line: u32, column: u32) -> Option<usize> {
        let start = self.starts.get((line as usize).checked_sub(1)?)?;
        Some(start + (column as usize).checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tokens without white space, each as its bytes with `~` for a line end; those of
    /// directives in brackets.
    fn shown(text: &str) -> String {
        let tokens = lex(text.as_bytes()).into_iter().filter(|token| !token.kind.is_space());
        let shown = tokens.map(|token| {
            let bytes = text[token.span].replace('\n', "~");
            if token.in_directive { format!("[{bytes}]") } else { bytes }
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    /// The kinds of the tokens, white space left out.
    fn kinds(text: &str) -> Vec<Kind> {
        lex(text.as_bytes()).into_iter().map(|token| token.kind).filter(|kind| !kind.is_space()).collect()
    }

    #[test]
    fn words_and_comments() {
        assert_eq!(shown("int foo(a)/* ( */;"), "int foo ( a ) /* ( */ ;");
        assert_eq!(shown("a // b \\\n c\nd"), "a // b \\~ c d");
        assert_eq!(shown("a // b\r\nc"), "a // b c");
        assert_eq!(shown("a /*/ b */ c"), "a /*/ b */ c");
        assert_eq!(shown("a /* b"), "a /* b");
        assert_eq!(kinds("/* b"), [Kind::UnterminatedComment]);
        assert_eq!(shown("a $b é_1 `"), "a $b é_1 `");
    }

    #[test]
    fn literals_with_prefixes() {
        use Kind::{Character, Number, Punctuator, String, Word};
        assert_eq!(shown("x = 'a' \"(\\\"\" L'\\'';"), "x = 'a' \"(\\\"\" L'\\'' ;");
        assert_eq!(kinds("L\"a\" u8\"b\" u'c' U'd'"), [String, String, Character, Character]);
        // No prefix, and no raw string.
        assert_eq!(kinds("R\"(a\" x'c'"), [Word, String, Word, Character]);
        assert_eq!(kinds("1'000 0x1p-3 .5e+1 1.2.x 1 '0'"), [Number, Number, Number, Number, Number, Character]);
        assert_eq!(kinds("1+2"), [Number, Punctuator("+"), Number]);
    }

    #[test]
    fn a_literal_ends_with_its_line() {
        assert_eq!(shown("don't\nx"), "don 't x");
        assert_eq!(shown("'a\\\r\nb'c\"\r\nx"), "'a\\\r~b' c \" x");
        assert_eq!(shown("\"\\"), "\"\\");
    }

    #[test]
    fn punctuators_by_longest_match() {
        assert_eq!(shown("a+++++b->c...<<=>>=%:%:d"), "a ++ ++ + b -> c ... <<= >>= %:%: d");
        assert_eq!(shown("x[y]*=*z;"), "x [ y ] *= * z ;");
        let brackets = ["{", "[", "]", "}"].map(Kind::Punctuator);
        assert_eq!(kinds("<% <: :> %>"), brackets);
        assert_eq!(
            kinds("x ## %:%: # %: .."),
            [
                Kind::Word,
                Kind::Punctuator("##"),
                Kind::Punctuator("##"),
                Kind::Punctuator("#"),
                Kind::Punctuator("#"),
                Kind::Punctuator("."),
                Kind::Punctuator("."),
            ]
        );
    }

    #[test]
    fn directives_go_to_the_end_of_their_line() {
        assert_eq!(shown("#define A(x) \\\n  b x\nc"), "[#] [define] [A] [(] [x] [)] [b] [x] c");
        assert_eq!(shown("/* x */ # if /* y\n */ A\nb # c"), "/* x */ [#] [if] [/* y~ */] [A] b # c");
        assert_eq!(shown("%: endif\r\n## x"), "[%:] [endif] ## x");
        assert_eq!(shown("\u{feff}#if A\nb"), "[#] [if] [A] b");
        assert_eq!(kinds("#if")[0], Kind::Directive);
    }

    #[test]
    fn the_name_of_an_included_file_is_one_token() {
        assert_eq!(shown("#include <a//b's.h> // c\nx<a>"), "[#] [include] [<a//b's.h>] [// c] x < a >");
        assert_eq!(shown("# include_next /**/ \"a\\\" x"), "[#] [include_next] [/**/] [\"a\\\"] [x]");
        assert_eq!(shown("#include A(<b>)\n#if <c>"), "[#] [include] [A] [(] [<] [b] [>] [)] [#] [if] [<] [c] [>]");
        assert_eq!(shown("#include <a\nb>"), "[#] [include] [<] [a] b >");
    }

    #[test]
    fn continued_lines_may_be_within_a_token() {
        for (text, token) in [
            ("fo\\\no", "foo"),
            ("1\\\r\n2", "12"),
            ("/\\\n* a *\\\n/", "/* a */"),
            ("/\\\n/ a \\  \n b", "// a  b"),
            ("-\\\n>", "->"),
            ("L\\\n\"a\\\n\\\\\n\"\"", "L\"a\\\"\""),
        ] {
            let tokens = lex(text.as_bytes());
            assert_eq!(tokens.len(), 1, "{text:?}: {tokens:?}");
            assert_eq!(tokens[0].spelling(text.as_bytes()), token.as_bytes(), "{text:?}");
        }
        let kinds: Vec<Kind> = lex(b"a\\\n b\\ c").into_iter().map(|token| token.kind).collect();
        assert_eq!(kinds, [Kind::Word, Kind::Splice, Kind::Blank, Kind::Word, Kind::Unknown, Kind::Blank, Kind::Word]);
    }

    #[test]
    fn offsets_have_lines_and_columns() {
        let lines = Lines::new(b"ab\n\ncd");
        assert_eq!([0, 2, 3, 4, 5].map(|offset| lines.line_column(offset)), [(1, 1), (1, 3), (2, 1), (3, 1), (3, 2)]);
        assert_eq!(lines.offset(3, 2), Some(5));
        assert_eq!((lines.offset(4, 1), lines.offset(0, 1), lines.offset(1, 0)), (None, None, None));
    }

    /// What C is made of, and what breaks it.
    const PARTS: &[&str] = &[
        "foo", "int", "L", "u8", "include", "define", "1", "0x1p", "'", "\"", "/", "*", "/*", "*/", "//", "\\", "\\\n",
        "\\\r\n", "\\ \n", "\n", "\r\n", "\r", " ", "\t", "#", "%:", "<", ">", "<%", ".", "...", "-", "=", "(", ")",
        "[", "]", "{", "}", ",", ";", "é", "\u{feff}", "@", "\0",
    ];

    /// A text of parts of C and of any bytes.
    fn soup() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            9 => prop::sample::select(PARTS).prop_map(|part| part.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..4),
        ];
        prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
    }

    /// Fails unless the tokens, one after the other, are the text.
    fn check_lossless(text: &[u8]) {
        let mut at = 0;
        for token in lex(text) {
            assert_eq!(token.span.start, at);
            assert!(token.span.end > at);
            at = token.span.end;
        }
        assert_eq!(at, text.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_kept(text in prop::collection::vec(any::<u8>(), 0..300)) {
            check_lossless(&text);
        }

        #[test]
        fn any_parts_are_kept(text in soup()) {
            check_lossless(&text);
        }

        /// Lines before a text change only where its tokens are.
        #[test]
        fn lines_before_a_text_only_move_its_tokens(text in soup()) {
            prop_assume!(!text.starts_with(BYTE_ORDER_MARK));
            let before = b"int a; /* b\n */\n#define C \\\n d\n";
            let moved = lex(&[before, text.as_slice()].concat());
            let expected = lex(&text).into_iter().map(|mut token| {
                token.span = token.span.start + before.len()..token.span.end + before.len();
                token
            });
            prop_assert_eq!(moved[lex(before).len()..].to_vec(), expected.collect::<Vec<_>>());
        }

        /// A text means the same with its continued lines joined.
        #[test]
        fn joining_continued_lines_changes_no_token(text in soup()) {
            let joined = without_splices(&text).into_owned();
            // Where a backslash and a line end have come together, lines would be joined twice.
            prop_assume!(!has_splice(&joined));
            // A carriage return before a continued line may come together with a line feed.
            prop_assume!(!text.windows(2).any(|pair| pair == b"\r\\"));
            prop_assume!(joined.starts_with(BYTE_ORDER_MARK) == text.starts_with(BYTE_ORDER_MARK));
            let tokens = |text: &[u8]| -> Vec<(Kind, Vec<u8>, bool)> {
                let tokens = lex(text).into_iter().filter(|token| !token.kind.is_space());
                tokens.map(|token| (token.kind, token.spelling(text).into_owned(), token.in_directive)).collect()
            };
            prop_assert_eq!(tokens(&text), tokens(&joined));
        }

        /// Every line end outside of comments and literals ends a directive.
        #[test]
        fn directives_end_with_their_lines(text in soup()) {
            let tokens = lex(&text);
            for pair in tokens.windows(2) {
                let begins = pair[1].kind == Kind::Directive;
                prop_assert!(pair[0].kind != Kind::LineEnd || begins || !pair[1].in_directive);
                prop_assert!(pair[0].in_directive == pair[1].in_directive || begins || pair[1].kind == Kind::LineEnd);
            }
        }
    }
}
