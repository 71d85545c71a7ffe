//! C text as tokens and directives: what the reader needs of translation phases 2 to 4, and no more.
//!
//! Comments and continued lines are understood everywhere. Nothing is expanded.

use std::borrow::Cow;
use std::ops::Range;

/// One word, number, literal or sign.
#[derive(Clone, Debug)]
pub struct Token<'s> {
    /// What it is.
    pub kind: Kind,
    /// Its text, without continued lines.
    pub text: Cow<'s, str>,
    /// Its bytes in the source.
    pub span: Range<usize>,
}

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or an identifier.
    Word,
    /// A number.
    Number,
    /// A string or character literal.
    Literal,
    /// Any other character, alone.
    Sign(char),
}

/// What a source consists of.
#[derive(Clone, Debug)]
pub enum Item<'s> {
    /// A token outside of directives.
    Token(Token<'s>),
    /// A directive: its tokens behind the `#`, and its bytes with the `#`.
    Directive(Vec<Token<'s>>, Range<usize>),
}

impl Token<'_> {
    /// Whether this is the word `word`.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// Whether this is the sign `sign`.
    pub fn is_sign(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// Takes a source apart. The second result is the place of a comment that does not end; what is behind it is lost.
pub fn lex(source: &str) -> (Vec<Item<'_>>, Option<Range<usize>>) {
    let mut lexer = Lexer { source, bytes: source.as_bytes(), at: 0, unterminated: None };
    // UTF-8 files of some editors begin with a mark of their byte order.
    if source.starts_with('\u{feff}') {
        lexer.at = '\u{feff}'.len_utf8();
    }
    let mut items = Vec::new();
    let mut line_start = true;
    loop {
        line_start |= lexer.skip_blanks(true);
        let Some(byte) = lexer.peek(0) else { break };
        if byte == b'#' && line_start {
            let start = lexer.at;
            lexer.at += 1;
            let tokens = lexer.directive();
            items.push(Item::Directive(tokens, start..lexer.at));
        } else {
            items.push(Item::Token(lexer.token()));
        }
        line_start = false;
    }
    (items, lexer.unterminated)
}

struct Lexer<'s> {
    source: &'s str,
    bytes: &'s [u8],
    at: usize,
    unterminated: Option<Range<usize>>,
}

impl<'s> Lexer<'s> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// The length of a backslash with the line end behind it, at an offset.
    fn splice(&self, at: usize) -> usize {
        match self.bytes.get(at..) {
            Some([b'\\', b'\n', ..]) => 2,
            Some([b'\\', b'\r', b'\n', ..]) => 3,
            _ => 0,
        }
    }

    /// Skips blanks and comments, and line ends if `lines`; whether a line end was among them.
    fn skip_blanks(&mut self, lines: bool) -> bool {
        let mut ended = false;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' if !lines => return ended,
                b'\n' => {
                    ended = true;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'\\' if self.splice(self.at) > 0 => self.at += self.splice(self.at),
                b'/' if self.peek(1) == Some(b'*') => match self.source[self.at + 2..].find("*/") {
                    Some(length) => self.at += length + 4,
                    None => {
                        self.unterminated = Some(self.at..self.at + 2);
                        self.at = self.bytes.len();
                    }
                },
                b'/' if self.peek(1) == Some(b'/') => {
                    while let Some(byte) = self.peek(0) {
                        match byte {
                            b'\n' => break,
                            _ => self.at += self.splice(self.at).max(1),
                        }
                    }
                }
                _ => return ended,
            }
        }
        ended
    }

    /// The tokens up to the end of the line.
    fn directive(&mut self) -> Vec<Token<'s>> {
        let mut tokens = Vec::new();
        loop {
            self.skip_blanks(false);
            match self.peek(0) {
                None | Some(b'\n') => return tokens,
                Some(_) => tokens.push(self.token()),
            }
        }
    }

    /// The token here; there is at least one byte, and no blank.
    fn token(&mut self) -> Token<'s> {
        let start = self.at;
        let first = self.bytes[start];
        let kind = match first {
            _ if is_word(first) && !first.is_ascii_digit() => {
                self.run(is_word);
                Kind::Word
            }
            b'0'..=b'9' => {
                self.run(|byte| is_word(byte) || byte == b'.');
                Kind::Number
            }
            b'"' | b'\'' => {
                self.literal(first);
                Kind::Literal
            }
            _ => {
                self.at += 1;
                Kind::Sign(char::from(first))
            }
        };
        let raw = &self.source[start..self.at];
        let text = match kind != Kind::Sign('\\') && raw.as_bytes().contains(&b'\\') {
            true => Cow::Owned(raw.replace("\\\r\n", "").replace("\\\n", "")),
            false => Cow::Borrowed(raw),
        };
        Token { kind, text, span: start..self.at }
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) {
        loop {
            while self.bytes.get(self.at).is_some_and(|byte| belongs(*byte)) {
                self.at += 1;
            }
            // A word may be continued on the next line.
            let splice = self.splice(self.at);
            if splice == 0 || !self.bytes.get(self.at + splice).is_some_and(|byte| belongs(*byte)) {
                return;
            }
            self.at += splice;
        }
    }

    /// A literal ends with its line at the latest: an apostrophe in skipped text begins none.
    fn literal(&mut self, quote: u8) {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' => return,
                b'\\' if self.splice(self.at) > 0 => self.at += self.splice(self.at),
                // The byte behind a backslash may begin a character of several bytes; its others are passed over.
                b'\\' if self.peek(1).is_some_and(|next| next != b'\n') => self.at += 2,
                _ => {
                    self.at += 1;
                    if byte == quote {
                        return;
                    }
                }
            }
        }
    }
}

/// Whether a byte belongs to a word; bytes beyond ASCII do.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        let text = |tokens: &[Token<'_>]| tokens.iter().map(|token| token.text.to_string()).collect::<Vec<_>>();
        let (items, unterminated) = lex(source);
        assert_eq!(unterminated, None, "{source:?}");
        let shown = items.iter().map(|item| match item {
            Item::Token(token) => token.text.to_string(),
            Item::Directive(tokens, _) => format!("#{}", text(tokens).join(" ")),
        });
        shown.collect()
    }

    #[test]
    fn comments_separate_and_say_nothing() {
        assert_eq!(texts("int/* , ) */a; // b ;\nc"), ["int", "a", ";", "c"]);
        assert_eq!(texts("a // goes on \\\n here\nb"), ["a", "b"]);
        assert_eq!(texts("/* # */ # /* x */ if A // y\nb"), ["#if A", "b"]);
        assert_eq!(texts("#define X /* over\n lines */ y\nb"), ["#define X y", "b"]);
    }

    #[test]
    fn lines_may_be_continued_anywhere() {
        assert_eq!(texts("in\\\nt a\\\r\nb \\\n c"), ["int", "ab", "c"]);
        assert_eq!(texts("#define A \\\n b \\\n c\nd"), ["#define A b c", "d"]);
        assert_eq!(texts("\"a\\\nb\\\"c\" d"), ["\"ab\\\"c\"", "d"]);
    }

    #[test]
    fn a_sharp_within_a_line_begins_no_directive() {
        assert_eq!(texts("a # b"), ["a", "#", "b"]);
        assert_eq!(texts("  #endif\n"), ["#endif"]);
    }

    #[test]
    fn literals_end_with_their_line() {
        assert_eq!(texts("don't\nb"), ["don", "'t", "b"]);
        assert_eq!(texts("'\\'' \"/* x */\" b"), ["'\\''", "\"/* x */\"", "b"]);
        assert_eq!(texts("\"\\é\" \"\\"), ["\"\\é\"", "\"\\"]);
    }

    #[test]
    fn what_does_not_end_is_told() {
        assert_eq!(lex("a /* b").1, Some(2..4));
    }

    #[test]
    fn a_byte_order_mark_is_no_token() {
        assert_eq!(texts("\u{feff}#if A\nb"), ["#if A", "b"]);
    }
}
