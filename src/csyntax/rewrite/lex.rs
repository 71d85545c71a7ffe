//! C text as tokens, with comments and directives among them: edits need to know what is where, and nothing of what it
//! means.
//!
//! Any bytes are a text. Nothing is expanded, and no condition is decided.

use std::ops::Range;

use super::Refusal;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A keyword or an identifier.
    Word,
    /// A number.
    Number,
    /// A string or character literal.
    Literal,
    /// A comment, without the line's end behind it.
    Comment,
    /// Any other byte, alone.
    Sign(u8),
}

/// A word, number, literal, comment or sign.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// Whether it is part of a directive.
    pub in_directive: bool,
}

/// A text and its tokens, in order. Code means what is neither a comment nor part of a directive.
pub struct Source<'t> {
    /// The text.
    pub text: &'t [u8],
    /// Its tokens.
    pub tokens: Vec<Token>,
}

impl<'t> Source<'t> {
    /// Takes a text apart.
    pub fn new(text: &'t [u8]) -> Self {
        let mut lexer = Lexer { text, at: 0 };
        let mut tokens = Vec::new();
        let (mut line_start, mut in_directive) = (true, false);
        while let Some(byte) = lexer.peek(0) {
            match byte {
                b'\n' => {
                    (line_start, in_directive) = (true, false);
                    lexer.at += 1;
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => lexer.at += 1,
                b'\\' if lexer.splice() > 0 => lexer.at += lexer.splice(),
                _ => {
                    let start = lexer.at;
                    let kind = lexer.token(byte);
                    in_directive |= line_start && kind == Kind::Sign(b'#');
                    // A comment counts as a blank, so that a directive may follow it.
                    line_start &= kind == Kind::Comment;
                    tokens.push(Token { kind, span: start..lexer.at, in_directive });
                }
            }
        }
        Source { text, tokens }
    }

    /// The token that begins at an offset.
    pub fn at(&self, offset: usize) -> Option<usize> {
        self.tokens.binary_search_by_key(&offset, |token| token.span.start).ok()
    }

    /// The token that is `name`, in code, at an offset.
    pub fn word_at(&self, offset: usize, name: &str) -> Result<usize, Refusal> {
        let found = self.at(offset).filter(|index| self.is_word(*index) && self.bytes(*index) == name.as_bytes());
        let index = found.ok_or_else(|| Refusal::NotWritten(name.to_owned()))?;
        match self.tokens[index].in_directive {
            true => Err(Refusal::InDirective(name.to_owned())),
            false => Ok(index),
        }
    }

    /// The code before a token; nothing if a directive comes first.
    pub fn before(&self, index: usize) -> Option<usize> {
        let found = self.tokens[..index].iter().rposition(|token| token.in_directive || token.kind != Kind::Comment);
        found.filter(|index| !self.tokens[*index].in_directive)
    }

    /// The code behind a token; nothing if a directive comes first.
    pub fn after(&self, index: usize) -> Option<usize> {
        let mut rest = self.tokens[index + 1..].iter();
        let found = rest.position(|token| token.in_directive || token.kind != Kind::Comment);
        found.map(|skipped| index + 1 + skipped).filter(|index| !self.tokens[*index].in_directive)
    }

    /// The bytes of a token.
    pub fn bytes(&self, index: usize) -> &'t [u8] {
        &self.text[self.tokens[index].span.clone()]
    }

    /// The offset at which a token begins.
    pub fn start(&self, index: usize) -> usize {
        self.tokens[index].span.start
    }

    /// The offset behind a token.
    pub fn end(&self, index: usize) -> usize {
        self.tokens[index].span.end
    }

    /// Whether a token is a word.
    pub fn is_word(&self, index: usize) -> bool {
        self.tokens[index].kind == Kind::Word
    }

    /// Whether a token is this sign, in code.
    pub fn is_sign(&self, index: usize, sign: u8) -> bool {
        self.tokens[index].kind == Kind::Sign(sign) && !self.tokens[index].in_directive
    }

    /// The `)` or `]` for a `(` or `[`. Directives are passed over.
    pub fn close(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for index in (open..self.tokens.len()).filter(|index| !self.tokens[*index].in_directive) {
            match self.tokens[index].kind {
                Kind::Sign(b'(' | b'[') => depth += 1,
                Kind::Sign(b')' | b']') => match depth {
                    0 | 1 => return Some(index),
                    _ => depth -= 1,
                },
                _ => {}
            }
        }
        None
    }
}

struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// The length of a backslash with the line's end behind it, here; 0 if there is none.
    fn splice(&self) -> usize {
        match self.text.get(self.at..) {
            Some([b'\\', b'\n', ..]) => 2,
            Some([b'\\', b'\r', b'\n', ..]) => 3,
            _ => 0,
        }
    }

    /// Goes over the token here, which begins with `first`.
    fn token(&mut self, first: u8) -> Kind {
        match first {
            b'/' if self.peek(1) == Some(b'*') => {
                let length = self.text[self.at + 2..].windows(2).position(|pair| pair == b"*/");
                self.at = length.map_or(self.text.len(), |length| self.at + length + 4);
                Kind::Comment
            }
            b'/' if self.peek(1) == Some(b'/') => {
                // The carriage return of the line's end is no part of the comment.
                while !matches!(self.text.get(self.at..), None | Some([] | [b'\n', ..] | [b'\r', b'\n', ..])) {
                    self.at += self.splice().max(1);
                }
                Kind::Comment
            }
            b'"' | b'\'' => {
                self.literal(first);
                Kind::Literal
            }
            b'0'..=b'9' => {
                self.run(|byte| is_word(byte) || byte == b'.');
                Kind::Number
            }
            _ if is_word(first) => {
                self.run(is_word);
                Kind::Word
            }
            _ => {
                self.at += 1;
                Kind::Sign(first)
            }
        }
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) {
        loop {
            while self.peek(0).is_some_and(&belongs) {
                self.at += 1;
            }
            // A word may go on in the next line.
            let splice = self.splice();
            if splice == 0 || !self.peek(splice).is_some_and(&belongs) {
                return;
            }
            self.at += splice;
        }
    }

    /// A literal ends with its line at the latest: an apostrophe in code that is never compiled begins none.
    fn literal(&mut self, quote: u8) {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' => return,
                b'\\' if self.splice() > 0 => self.at += self.splice(),
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
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens, those of directives in brackets.
    fn shown(text: &str) -> String {
        let source = Source::new(text.as_bytes());
        let tokens = (0..source.tokens.len()).map(|index| {
            let bytes = String::from_utf8_lossy(source.bytes(index)).replace('\n', "~");
            if source.tokens[index].in_directive { format!("[{bytes}]") } else { bytes }
        });
        tokens.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tokens_and_comments() {
        assert_eq!(shown("int foo(a)/* ( */;"), "int foo ( a ) /* ( */ ;");
        assert_eq!(shown("a // b \\\n c\nd"), "a // b \\~ c d");
        assert_eq!(shown("x = 0x1f.p3 + 'a' \"(\\\"\";"), "x = 0x1f.p3 + 'a' \"(\\\"\" ;");
        assert_eq!(shown("don't\nx"), "don 't x");
        assert_eq!(shown("a /* b"), "a /* b");
    }

    #[test]
    fn directives_go_to_the_end_of_their_line() {
        assert_eq!(shown("#define A(x) \\\n  b x\nc"), "[#] [define] [A] [(] [x] [)] [b] [x] c");
        assert_eq!(shown("/* x */ # if /* y\n */ A\nb # c"), "/* x */ [#] [if] [/* y~ */] [A] b # c");
    }

    #[test]
    fn carriage_returns_are_blanks() {
        assert_eq!(shown("a // b\r\nc \\\r\n d"), "a // b c d");
    }

    #[test]
    fn neighbours_in_code() {
        let source = Source::new(b"a /* x */ b\n#if 1\nc");
        assert_eq!(source.after(0), Some(2));
        assert_eq!(source.before(2), Some(0));
        assert_eq!(source.after(2), None, "a directive follows");
        let last = source.tokens.len() - 1;
        assert_eq!(source.before(last), None, "a directive is before it");
        assert_eq!(source.after(last), None);
        assert_eq!(source.before(0), None);
    }

    #[test]
    fn brackets_close() {
        let source = Source::new(b"(a[(b)] /* ) */ ')' \n#define X )\n) )");
        assert_eq!(source.close(0).map(|index| source.start(index)), Some(33));
        assert_eq!(Source::new(b"(a(b)").close(0), None);
    }
}
