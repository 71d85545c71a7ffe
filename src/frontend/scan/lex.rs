//! C text as tokens: translation phases 2 and 3 as clang does them, for any bytes.
//!
//! It follows clang where compilers differ: a lone carriage return ends a line, and blanks may
//! stand between the `\` and the end of a continued line (`Lexer::getEscapedNewLineSize`). Where
//! the dialect or the place decides how bytes are read, the text is marked as doubtful.

use std::borrow::Cow;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::normalize::{Normalizer, is_blank};

/// A word of the text, numbered by first appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Word(pub(super) u32);

/// Words with a meaning for the scanner. They have the first numbers in every text.
const KNOWN: &[&[u8]] =
    &[b"_Pragma", b"__pragma", b"defined", b"__has_include", b"__has_include_next", b"__has_embed", b"__cplusplus"];
pub(super) const PRAGMA: Word = Word(0);
pub(super) const MS_PRAGMA: Word = Word(1);
pub(super) const DEFINED: Word = Word(2);
pub(super) const HAS_INCLUDE: Word = Word(3);
pub(super) const HAS_INCLUDE_NEXT: Word = Word(4);
pub(super) const HAS_EMBED: Word = Word(5);
pub(super) const CPLUSPLUS: Word = Word(6);

/// A token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Its bytes in the text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether a blank or a comment is before it.
    pub(super) spaced: bool,
}

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword or an identifier.
    Word(Word),
    /// A number.
    Number,
    /// A string or character literal, without its prefix.
    Literal,
    /// Any other byte, alone.
    Sign(u8),
}

/// The lexer of one text.
#[derive(Debug)]
pub(super) struct Lexer<'t> {
    pub(super) text: &'t [u8],
    /// The next byte.
    pub(super) at: usize,
    pub(super) words: Words<'t>,
    /// Whether reading the text depends on something that is not known here.
    pub(super) doubtful: bool,
    normalizer: Normalizer<'t>,
    /// The comments of the current directive, which wait until its kind is known.
    waiting: Option<Vec<Range<usize>>>,
    /// Whether the directive that is being read has a literal that does not end.
    open_literal: bool,
    /// The offset up to which no `<` has a `>`.
    no_angle: usize,
}

/// The distinct words of a text.
#[derive(Debug)]
pub(super) struct Words<'t> {
    numbers: FxHashMap<Cow<'t, [u8]>, u32>,
    texts: Vec<Cow<'t, [u8]>>,
    /// For each used word, an offset at its first use: not before the word, and before any
    /// following token in another line.
    used: Vec<Option<usize>>,
    /// For each word, whether a `(` may follow it somewhere.
    called: Vec<bool>,
}

/// What a byte may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Blank,
    LineEnd,
    Word,
    Digit,
    Dot,
    Quote,
    Slash,
    Backslash,
    Hash,
    Percent,
    Other,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b' ' | b'\t' | 0x0b | 0x0c | 0 => Class::Blank,
            b'\n' | b'\r' => Class::LineEnd,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => Class::Word,
            b'0'..=b'9' => Class::Digit,
            b'.' => Class::Dot,
            b'"' | b'\'' => Class::Quote,
            b'/' => Class::Slash,
            b'\\' => Class::Backslash,
            b'#' => Class::Hash,
            b'%' => Class::Percent,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

/// What a byte may begin.
pub(super) fn class(byte: u8) -> Class {
    CLASSES[byte as usize]
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn is_word(byte: u8) -> bool {
    matches!(class(byte), Class::Word | Class::Digit)
}

/// Whether a byte of a word belongs to it only in some dialects, or only with certain bytes beside
/// it.
fn is_odd(byte: u8) -> bool {
    byte >= 0x80 || byte == b'$'
}

impl<'t> Words<'t> {
    fn new(text: &'t [u8]) -> Self {
        // Headers have a new word for about every 40 bytes. Growing costs more than a guess that is
        // too high.
        let guess = KNOWN.len() + text.len() / 32;
        let numbers = FxHashMap::with_capacity_and_hasher(guess, rustc_hash::FxBuildHasher);
        let (texts, used, called) = (Vec::with_capacity(guess), Vec::with_capacity(guess), Vec::with_capacity(guess));
        let mut words = Words { numbers, texts, used, called };
        for text in KNOWN {
            words.number(Cow::Borrowed(text));
        }
        words
    }

    fn number(&mut self, text: Cow<'t, [u8]>) -> Word {
        if let Some(number) = self.numbers.get(&*text) {
            return Word(*number);
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.clone());
        self.used.push(None);
        self.called.push(false);
        self.numbers.insert(text, number);
        Word(number)
    }

    /// Notes that a word is used, and that everything up to `at` was read.
    pub(super) fn mark(&mut self, word: Word, at: usize) {
        self.used[word.0 as usize].get_or_insert(at);
    }

    /// Notes that a word is used where a `(` may follow it.
    pub(super) fn mark_called(&mut self, word: Word, at: usize) {
        self.called[word.0 as usize] = true;
        self.mark(word, at);
    }

    /// Whether a word is used, and never where a `(` may follow it.
    pub(super) fn is_bare(&self, word: Word) -> bool {
        self.used[word.0 as usize].is_some() && !self.called[word.0 as usize]
    }

    /// The bytes of a word.
    pub(super) fn text(&self, word: Word) -> &[u8] {
        &self.texts[word.0 as usize]
    }

    /// How many words there are.
    pub(super) fn count(&self) -> usize {
        self.texts.len()
    }

    /// All words in their order, and where each is used first.
    pub(super) fn all(&self) -> impl Iterator<Item = (&[u8], Option<usize>)> {
        self.texts.iter().map(|text| &**text).zip(self.used.iter().copied())
    }
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        let mut lexer = Lexer {
            text,
            at: 0,
            words: Words::new(text),
            doubtful: is_doubtful(text),
            normalizer: Normalizer::new(text),
            waiting: None,
            open_literal: false,
            no_angle: 0,
        };
        // Some editors write a byte order mark into UTF-8 files.
        if text.starts_with(b"\xef\xbb\xbf") {
            lexer.at = 3;
        }
        lexer
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The words, and the normalized text after all of it was read; `None` for a doubtful text.
    pub(super) fn finish(self) -> (Words<'t>, Option<Vec<u8>>) {
        (self.words, (!self.doubtful).then(|| self.normalizer.finish()))
    }

    /// Skips the end of a line.
    pub(super) fn line_end(&mut self) {
        self.normalizer.line_end(self.at);
        self.at += 1;
    }

    /// Begins a directive, whose comments wait until [`Lexer::end_directive`].
    pub(super) fn begin_directive(&mut self) {
        self.waiting = Some(Vec::new());
        self.open_literal = false;
    }

    /// Ends a directive at the end of its line. With `verbatim`, the normalized text keeps its
    /// comments and blanks.
    pub(super) fn end_directive(&mut self, verbatim: bool) {
        let comments = self.waiting.take().unwrap_or_default();
        // A literal without an end includes the blanks at the end of the line.
        if verbatim || self.open_literal {
            self.normalizer.keep(self.at);
        } else {
            comments.into_iter().for_each(|comment| self.normalizer.comment(comment));
        }
    }

    /// The comments of this directive so far.
    pub(super) fn comments(&self) -> &[Range<usize>] {
        self.waiting.as_deref().unwrap_or_default()
    }

    /// Skips blanks, comments and continued lines; whether there was any but the last.
    pub(super) fn skip_blanks(&mut self) -> bool {
        let mut spaced = false;
        while let Some(byte) = self.peek() {
            match class(byte) {
                Class::Blank => self.at += 1,
                Class::Slash if self.comment() => {}
                Class::Backslash => match splice(self.text, self.at) {
                    0 => break,
                    length => {
                        self.at += length;
                        continue;
                    }
                },
                _ => break,
            }
            spaced = true;
        }
        spaced
    }

    /// The next token of this line; `None` at its end.
    pub(super) fn token(&mut self) -> Option<Token> {
        let spaced = self.skip_blanks();
        self.token_here(spaced)
    }

    /// The next token of this line, which begins here unless the line ends.
    pub(super) fn token_here(&mut self, spaced: bool) -> Option<Token> {
        let start = self.at;
        let first = self.peek()?;
        let kind = match class(first) {
            Class::LineEnd => return None,
            Class::Word => match self.word() {
                Some(word) => TokenKind::Word(word),
                None => self.literal(),
            },
            Class::Digit => self.number(),
            Class::Dot if self.text.get(start + 1).is_some_and(u8::is_ascii_digit) => self.number(),
            Class::Quote => self.literal(),
            class => {
                // A `\` is part of an identifier (`\u00e9`), or an error; `%:` is another `#`.
                self.doubtful |= class == Class::Backslash;
                self.doubtful |= class == Class::Percent && self.text.get(start + 1) == Some(&b':');
                self.doubtful |= first == b'?' && is_trigraph(&self.text[start..]);
                self.at += 1;
                TokenKind::Sign(first)
            }
        };
        Some(Token { kind, start, end: self.at, spaced })
    }

    /// The bytes of a word that begins here, if one does, without continued lines. It does not
    /// count as a word.
    pub(super) fn word_text(&mut self) -> Cow<'t, [u8]> {
        if self.peek().is_some_and(|byte| class(byte) == Class::Word) { self.run() } else { Cow::Borrowed(b"") }
    }

    /// The word here; `None` if it is the prefix of a literal.
    fn word(&mut self) -> Option<Word> {
        let text = self.run();
        if let Some(quote @ (b'"' | b'\'')) = self.peek() {
            // A raw string, which GNU dialects of C have, ends differently.
            self.doubtful |= quote == b'"' && matches!(&*text, b"R" | b"LR" | b"uR" | b"UR" | b"u8R");
            // The other prefixes are new in C11: before it, they are words.
            if &*text == b"L" {
                return None;
            }
        }
        if text.iter().any(|byte| is_odd(*byte)) {
            // A word that some dialects read as several words, with something between them.
            for piece in text.split(|byte| is_odd(*byte)) {
                if piece.first().is_some_and(|first| class(*first) == Class::Word) {
                    let piece = self.words.number(Cow::Owned(piece.to_vec()));
                    self.words.mark_called(piece, self.at);
                }
            }
        }
        Some(self.words.number(text))
    }

    /// Skips the bytes of a word or number.
    fn run(&mut self) -> Cow<'t, [u8]> {
        let start = self.at;
        self.at += self.text[start..].iter().take_while(|byte| is_word(**byte)).count();
        let mut joined: Option<Vec<u8>> = None;
        // It may continue in the next line.
        while self.peek() == Some(b'\\') {
            let next = skip_splices(self.text, self.at);
            let length = self.text[next..].iter().take_while(|byte| is_word(**byte)).count();
            if next == self.at || length == 0 {
                break;
            }
            joined.get_or_insert_with(|| self.text[start..self.at].to_vec()).extend(&self.text[next..next + length]);
            self.at = next + length;
        }
        joined.map_or(Cow::Borrowed(&self.text[start..self.at]), Cow::Owned)
    }

    fn number(&mut self) -> TokenKind {
        let mut last = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'.' => self.at += 1,
                b'+' | b'-' if matches!(last, b'e' | b'E' | b'p' | b'P') => self.at += 1,
                // In C23 it may be part of a number; before, it begins a character.
                b'\'' if self.text.get(self.at + 1).is_some_and(|next| is_word(*next)) => {
                    self.doubtful = true;
                    self.at += 1;
                }
                b'\\' => {
                    let next = skip_splices(self.text, self.at);
                    let goes_on = self.text.get(next).is_some_and(|byte| is_word(*byte) || *byte == b'.');
                    if next == self.at || !goes_on {
                        break;
                    }
                    self.at = next;
                }
                // These are part of a number for some compilers, and so is what follows them.
                0x80.. | b'$' => {
                    self.doubtful = true;
                    break;
                }
                _ => break,
            }
            last = byte;
        }
        TokenKind::Number
    }

    /// Reads a literal whose first quote is here. It ends with its line at the latest: an
    /// apostrophe in text that is never compiled begins none.
    fn literal(&mut self) -> TokenKind {
        let quote = self.peek();
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' | b'\r' => break,
                b'\\' => self.escape(),
                _ => {
                    self.at += 1;
                    if Some(byte) == quote {
                        // The end of a trigraph is no quote.
                        self.doubtful |= byte == b'\'' && self.text[..self.at].ends_with(b"??'");
                        return TokenKind::Literal;
                    }
                }
            }
        }
        match self.waiting {
            Some(_) => self.open_literal = true,
            None => self.normalizer.keep(self.at),
        }
        TokenKind::Literal
    }

    /// Skips a `\` in a literal, with the line's end or the byte behind it.
    fn escape(&mut self) {
        match splice(self.text, self.at) {
            0 => {
                self.at = skip_splices(self.text, self.at + 1);
                if self.peek().is_some_and(|byte| !is_line_end(byte)) {
                    self.at += 1;
                }
            }
            length => self.at += length,
        }
    }

    /// The name of a header in `<` and `>` or in quotes, if one begins here.
    pub(super) fn header_name(&mut self) -> Option<(bool, Vec<u8>)> {
        let start = self.at;
        let (angled, close) = match self.peek()? {
            b'<' if start < self.no_angle => return None,
            b'<' => (true, b'>'),
            b'"' => (false, b'"'),
            _ => return None,
        };
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' | b'\r' => break,
                b'\\' => self.escape(),
                _ => {
                    self.at += 1;
                    if byte == close {
                        let name = unspliced(&self.text[start + 1..self.at - 1]);
                        // A compiler that skips this line sees the beginning of a comment in it.
                        self.doubtful |= angled && name.windows(2).any(|pair| pair == b"/*");
                        return Some((angled, name));
                    }
                }
            }
        }
        if angled {
            self.no_angle = self.at;
        }
        self.at = start;
        None
    }

    /// Skips a comment, if one begins here.
    pub(super) fn comment(&mut self) -> bool {
        let start = self.at;
        let second = skip_splices(self.text, start + 1);
        self.at = match self.text.get(second) {
            Some(b'*') => match block_end(self.text, second + 1) {
                Some(end) => end,
                None => {
                    self.doubtful = true;
                    self.text.len()
                }
            },
            Some(b'/') => {
                // In C89 it is a `/` and a comment of the other kind (clang's
                // `Lexer::LexTokenInternal`).
                self.doubtful |= self.text.get(skip_splices(self.text, second + 1)) == Some(&b'*');
                line_comment_end(self.text, second + 1)
            }
            _ => return false,
        };
        match &mut self.waiting {
            Some(waiting) => waiting.push(start..self.at),
            None => self.normalizer.comment(start..self.at),
        }
        true
    }

    /// The directive that is being read, from an offset on: each of its comments as a blank,
    /// without continued lines and without blanks at its ends.
    pub(super) fn clean(&self, start: usize) -> Vec<u8> {
        let mut clean = Vec::new();
        let mut at = start;
        for comment in self.comments().iter().filter(|comment| start <= comment.start) {
            clean.extend_from_slice(&self.text[at..comment.start]);
            clean.push(b' ');
            at = comment.end;
        }
        clean.extend_from_slice(&self.text[at..self.at.max(at)]);
        unspliced(&clean).trim_ascii().to_vec()
    }

    /// The bytes of a token, without continued lines.
    pub(super) fn bytes(&self, token: &Token) -> Vec<u8> {
        unspliced(&self.text[token.start..token.end])
    }
}

/// Whether a text has something that some dialects read differently anywhere: lone carriage
/// returns, which end lines for clang alone, NUL bytes, and the trigraph for `\`.
fn is_doubtful(text: &[u8]) -> bool {
    // Most texts have none of these bytes, and are searched quickly.
    let rare = text.iter().fold(false, |rare, byte| rare | (*byte == 0) | (*byte == b'\r'));
    let next = text.get(1..).unwrap_or_default();
    let questions = text.iter().zip(next).fold(false, |two, (one, next)| two | ((*one == b'?') & (*next == b'?')));
    let lone = |(at, byte): (usize, &u8)| *byte == b'\r' && text.get(at + 1) != Some(&b'\n');
    (rare && (text.contains(&0) || text.iter().enumerate().any(lone)))
        || (questions && text.windows(3).any(|three| three == b"??/"))
}

/// Whether a text begins with a trigraph.
fn is_trigraph(text: &[u8]) -> bool {
    text.starts_with(b"??") && text.get(2).is_some_and(|third| b"=/'()!<>-".contains(third))
}

/// The length of a `\` with the end of its line, at this offset; 0 if there is none.
fn splice(text: &[u8], at: usize) -> usize {
    let Some([b'\\', rest @ ..]) = text.get(at..) else { return 0 };
    let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
    match &rest[blanks..] {
        [b'\r', b'\n', ..] | [b'\n', b'\r', ..] => blanks + 3,
        [b'\n' | b'\r', ..] => blanks + 2,
        _ => 0,
    }
}

/// The offset behind all continued lines' ends at this one.
fn skip_splices(text: &[u8], mut at: usize) -> usize {
    loop {
        match splice(text, at) {
            0 => return at,
            length => at += length,
        }
    }
}

/// Some bytes without the ends of continued lines.
fn unspliced(bytes: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match splice(bytes, at) {
            0 => {
                joined.push(byte);
                at += 1;
            }
            length => at += length,
        }
    }
    joined
}

/// The offset behind a comment whose inside begins at this one.
fn block_end(text: &[u8], inside: usize) -> Option<usize> {
    let mut at = inside;
    loop {
        at += text.get(at..)?.iter().position(|byte| *byte == b'*')? + 1;
        let slash = skip_splices(text, at);
        if text.get(slash) == Some(&b'/') {
            return Some(slash + 1);
        }
    }
}

/// The end of the line that a comment goes to, which may be continued, without the line's end.
fn line_comment_end(text: &[u8], inside: usize) -> usize {
    let mut at = inside;
    loop {
        let line = text.get(at..).unwrap_or_default();
        let Some(length) = line.iter().position(|byte| is_line_end(*byte)) else { return text.len() };
        let end = at + length;
        let blanks = line[..length].iter().rev().take_while(|byte| is_blank(**byte)).count();
        if length == blanks || text[end - blanks - 1] != b'\\' {
            return end;
        }
        let backslash = end - blanks - 1;
        at = backslash + splice(text, backslash);
    }
}
