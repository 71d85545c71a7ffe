//! Reading a text: its directives.

use std::collections::HashSet;
use std::ops::Range;

use super::lex::{self, Class, Lexer, Token, TokenKind, Word};
use super::names::{Name, Names};
use super::paste::{self, Operand};
use super::pragma::{Depths, Effect};
use super::{Guard, Include, IncludeKind, PastedForm, Scan};
use cowrap_base::files::{Digest, Digester};

/// Lines that a compiler skipped, since the condition around them was false: those between the two
/// given ones, which are directives.
pub type SkippedLines = (u32, u32);

/// Scans a text.
pub fn scan(text: &[u8], names: &Names) -> Scan {
    let mut reader = Reader::new(text);
    reader.read();
    reader.finish(text, names)
}

/// Scans a text without what a compiler skipped in it. All conditions count, since a compiler may
/// have evaluated them.
pub fn scan_active(text: &[u8], names: &Names, skipped: &[SkippedLines]) -> Scan {
    let mut reader = Reader::new(text);
    reader.skipped = offsets(text, skipped);
    let mut content = Digester::new();
    content.update(text);
    for (first, last) in skipped {
        content.update(&first.to_le_bytes());
        content.update(&last.to_le_bytes());
    }
    reader.read();
    Scan { content: content.finish(), ..reader.finish(text, names) }
}

/// The offsets of skipped lines, sorted, each range once and none within another one.
fn offsets(text: &[u8], skipped: &[SkippedLines]) -> Vec<Range<usize>> {
    let ends_line = |at: usize| text[at] == b'\n' || (text[at] == b'\r' && text.get(at + 1) != Some(&b'\n'));
    let starts: Vec<usize> =
        std::iter::once(0).chain((0..text.len()).filter(|at| ends_line(*at)).map(|at| at + 1)).collect();
    // Lines count from 1.
    let start = |line: u32| starts.get((line as usize).saturating_sub(1)).copied().unwrap_or(text.len());
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut sorted = skipped.to_vec();
    sorted.sort_unstable();
    for (first, last) in sorted {
        let range = start(first.saturating_add(1))..start(last);
        if found.last().is_none_or(|known| known.end <= range.start) && !range.is_empty() {
            found.push(range);
        }
    }
    found
}

/// The normalized text, of which [`Scan::normalized`] is the digest; `None` for a doubtful one.
pub fn normalized(text: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(text);
    reader.read();
    reader.lexer.finish().1
}

/// What is known about the guard so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    /// Nothing was read yet.
    Begin,
    /// `#ifndef` of this macro was first.
    Opened(Word),
    /// The definition of the macro was second.
    Inside(Word),
    /// Everything up to its `#endif` was inside.
    Closed(Word),
    /// There is no guard. If there seemed to be one, its macro and whether it was defined.
    No(Option<(Word, bool)>),
}

#[derive(Debug)]
struct Reader<'t> {
    lexer: Lexer<'t>,
    around: Around,
    /// The conditions that are open.
    conditions: Vec<Condition>,
    /// Where in a declaration the text is.
    within: Within,
    /// What is known about words that a `(` may follow.
    calls: Calls,
    /// The depths of pushed states.
    depths: Depths,
    /// Whether nothing relevant was read yet.
    leading: bool,
    includes: Vec<FoundInclude>,
    probes: Vec<FoundInclude>,
    /// The depth of a `#pragma once` that is in the fewest conditions.
    once: Option<usize>,
    /// Definitions, with the range of their words in `bodies`.
    definitions: Vec<(Word, Range<usize>)>,
    /// Definitions, with a digest of each.
    definition_digests: Vec<(Word, Digest)>,
    /// Macros that are undefined.
    undefined: Vec<Word>,
    /// Macros that are defined without parameters, or undefined.
    plain: Vec<Word>,
    /// For each definition, the offset up to which the text was read.
    defined_at: Vec<(Word, usize)>,
    bodies: Vec<Word>,
    /// Macros with a `_Pragma` that is not harmless.
    pragmas: Vec<Word>,
    /// Macros with a `##`, and what they paste.
    pastes: Vec<(Word, PastedForm)>,
    poisoned: Vec<Vec<u8>>,
    leaks: bool,
    embeds: bool,
    /// The tokens of the directive that is being read.
    tokens: Vec<Token>,
    /// Up to which byte lines were counted, and the line there.
    counted: (usize, u32),
    /// What is not read, in order, but for conditions.
    skipped: Vec<Range<usize>>,
}

/// Where in a declaration a text is.
#[derive(Clone, Copy, Debug)]
struct Within {
    /// How many brackets of any kind are open.
    brackets: u32,
    /// The last token outside of directives.
    last: Option<TokenKind>,
}

/// What is known about the words behind which a preprocessor may look for a `(`.
///
/// It does so in the text that it expands, and in what comes out of the arguments of a macro.
/// Arguments are between parentheses, of which the first may come out of a macro, and the last may
/// not. So outside of parentheses a word is in no argument, if parentheses are balanced between any
/// two directives; where they are not, nothing is known of the whole text.
#[derive(Clone, Copy, Debug)]
struct Calls {
    /// The last word, outside of parentheses.
    last: Option<Word>,
    /// How many parentheses are open.
    open: u32,
    /// Whether parentheses are unbalanced somewhere.
    unbalanced: bool,
}

/// A condition that is open.
#[derive(Debug)]
struct Condition {
    /// The depths of pushed states at its beginning.
    depths: Depths,
    /// Where in a declaration it began.
    begin: Within,
    /// The end of an earlier branch, the one with most open brackets; possibly no branch is
    /// compiled.
    end: Within,
    /// Whether no branch is C: `#if 0`, `#ifdef __cplusplus`.
    foreign: bool,
}

/// An include, before it is known whether there is a guard.
#[derive(Debug)]
struct FoundInclude {
    include: Include,
    depth: usize,
    /// Whether what seems to be a guard was before it.
    guarded: bool,
}

impl<'t> Reader<'t> {
    fn new(text: &'t [u8]) -> Self {
        Reader {
            lexer: Lexer::new(text),
            around: Around::Begin,
            conditions: Vec::new(),
            within: Within { brackets: 0, last: None },
            calls: Calls { last: None, open: 0, unbalanced: false },
            depths: [0; 4],
            leading: true,
            includes: Vec::new(),
            probes: Vec::new(),
            once: None,
            definitions: Vec::new(),
            definition_digests: Vec::new(),
            undefined: Vec::new(),
            plain: Vec::new(),
            defined_at: Vec::new(),
            bodies: Vec::new(),
            pragmas: Vec::new(),
            pastes: Vec::new(),
            poisoned: Vec::new(),
            leaks: false,
            embeds: false,
            tokens: Vec::new(),
            counted: (0, 1),
            skipped: Vec::new(),
        }
    }

    fn read(&mut self) {
        let mut line_start = true;
        loop {
            let spaced = self.lexer.skip_blanks();
            let Some(byte) = self.lexer.peek() else { return };
            match lex::class(byte) {
                Class::LineEnd => {
                    self.lexer.line_end();
                    line_start = true;
                }
                Class::Hash if line_start => self.directive(),
                _ => {
                    line_start = false;
                    self.matters();
                    let Some(token) = self.lexer.token_here(spaced) else { return };
                    if self.is_skipped(token.start) {
                        continue;
                    }
                    self.pass(token.kind);
                    if let TokenKind::Word(word) = token.kind {
                        match word {
                            lex::PRAGMA => self.pragma_in_code(),
                            lex::MS_PRAGMA => self.leaks = true,
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    /// Whether what begins here was skipped.
    fn is_skipped(&self, at: usize) -> bool {
        let behind = self.skipped.partition_point(|range| range.end <= at);
        self.skipped.get(behind).is_some_and(|range| range.start <= at)
    }

    /// Notes a token outside of directives.
    fn pass(&mut self, kind: TokenKind) {
        self.within.pass(kind);
        if kind == TokenKind::Sign(b'(') {
            self.last_is_called();
        }
        self.calls.last = None;
        match kind {
            TokenKind::Word(word) if self.calls.open > 0 => self.lexer.words.mark_called(word, self.lexer.at),
            TokenKind::Word(word) => {
                self.lexer.words.mark(word, self.lexer.at);
                self.calls.last = Some(word);
            }
            TokenKind::Sign(b'(') => self.calls.open = self.calls.open.saturating_add(1),
            TokenKind::Sign(b')') if self.calls.open == 0 => self.calls.unbalanced = true,
            TokenKind::Sign(b')') => self.calls.open -= 1,
            _ => {}
        }
    }

    /// Notes that a `(` may follow the last word outside of directives.
    fn last_is_called(&mut self) {
        if let Some(word) = self.calls.last.take() {
            self.lexer.words.mark_called(word, self.lexer.at);
        }
    }

    /// Notes something that is not part of a guard, and that could affect an include.
    fn matters(&mut self) {
        self.leading = false;
        self.is_no_guard();
    }

    /// Notes something that must not be outside of a guard.
    fn is_no_guard(&mut self) {
        self.around = match self.around {
            Around::Begin => Around::No(None),
            Around::Opened(word) => Around::No(Some((word, false))),
            Around::Closed(word) => Around::No(Some((word, true))),
            inside => inside,
        };
    }

    fn has_guard(&self) -> bool {
        matches!(self.around, Around::Closed(_))
    }

    /// Whether there is what seems to be a guard, or seemed to.
    fn seems_guarded(&self) -> bool {
        !matches!(self.around, Around::Begin | Around::No(None))
    }

    /// Reads a directive whose `#` is here.
    fn directive(&mut self) {
        let hash = self.lexer.at;
        // The next token may depend on a condition, or be in another file.
        self.last_is_called();
        self.calls.unbalanced |= self.calls.open > 0;
        self.lexer.begin_directive();
        self.lexer.at += 1;
        self.lexer.skip_blanks();
        let name = self.lexer.word_text();
        self.tokens.clear();
        let verbatim = match &*name {
            name if !is_condition(name) && self.is_skipped(hash) => {
                self.matters();
                self.tokens(hash, false);
                self.tokens.clear();
                false
            }
            b"include" => self.include(hash, false),
            b"import" => {
                self.leaks = true;
                self.include(hash, false)
            }
            b"include_next" => self.include(hash, true),
            b"define" => self.define(hash),
            b"undef" => {
                self.matters();
                self.tokens(hash, false);
                let word = self.first_word();
                self.plain.extend(word);
                self.undefined.extend(word);
                self.defined_at.extend(word.map(|word| (word, self.lexer.at)));
                self.tokens.clear();
                word.is_none()
            }
            b"ifdef" => {
                self.tokens(hash, false);
                self.open(None);
                self.first_word().is_none()
            }
            b"ifndef" => {
                self.tokens(hash, false);
                let word = self.first_word();
                self.open(word.filter(|_| self.tokens.len() == 1));
                word.is_none()
            }
            b"if" => {
                self.tokens(hash, true);
                self.open(self.undefined_alone());
                true
            }
            b"elif" => {
                self.tokens(hash, true);
                self.branch();
                true
            }
            b"elifdef" | b"elifndef" => {
                self.tokens(hash, false);
                self.branch();
                true
            }
            b"else" => {
                self.tokens(hash, false);
                self.branch();
                false
            }
            b"endif" => {
                self.tokens(hash, false);
                self.close();
                false
            }
            b"pragma" => self.pragma(hash),
            _ => self.other(hash, &name),
        };
        // All words of the line count, except for those of a possible guard, whose tokens were
        // removed.
        for token in &self.tokens {
            if let TokenKind::Word(word) = token.kind {
                self.lexer.words.mark_called(word, self.lexer.at);
            }
        }
        self.lexer.end_directive(verbatim);
    }

    /// Reads the tokens of the directive up to the end of the line. With `asks`, it notes every
    /// `__has_include`.
    fn tokens(&mut self, hash: usize, asks: bool) {
        while let Some(token) = self.lexer.token() {
            let behind_defined = match self.tokens.as_slice() {
                [.., last] if last.kind == TokenKind::Word(lex::DEFINED) => true,
                [.., defined, open] => {
                    open.kind == TokenKind::Sign(b'(') && defined.kind == TokenKind::Word(lex::DEFINED)
                }
                _ => false,
            };
            self.tokens.push(token);
            if !asks || behind_defined {
                continue;
            }
            match token.kind {
                TokenKind::Word(lex::HAS_INCLUDE) => self.probe(hash, false),
                TokenKind::Word(lex::HAS_INCLUDE_NEXT) => self.probe(hash, true),
                TokenKind::Word(lex::HAS_EMBED) => self.leaks = true,
                _ => {}
            }
        }
    }

    /// Reads a `__has_include` whose word was just read.
    fn probe(&mut self, hash: usize, next: bool) {
        let mut named = None;
        let mut name = Vec::new();
        if let Some(open) = self.lexer.token() {
            self.tokens.push(open);
            if open.kind == TokenKind::Sign(b'(') {
                self.lexer.skip_blanks();
                named = self.lexer.header_name();
                if named.is_none()
                    && let Some(token) = self.lexer.token()
                {
                    self.tokens.push(token);
                    name = self.lexer.bytes(&token);
                }
            }
        }
        let found = self.found(hash, named, next, name, false);
        self.probes.push(found);
    }

    /// Reads an `#include` or similar directive. Returns whether its comments and blanks count, as
    /// for all directives.
    fn include(&mut self, hash: usize, next: bool) -> bool {
        self.is_no_guard();
        self.lexer.skip_blanks();
        let start = self.lexer.at;
        let named = self.lexer.header_name();
        self.tokens(hash, false);
        let rest = if named.is_some() { Vec::new() } else { self.lexer.clean(start) };
        let found = self.found(hash, named, next, rest, self.leading);
        self.includes.push(found);
        true
    }

    fn found(
        &mut self,
        hash: usize,
        named: Option<(bool, Vec<u8>)>,
        next: bool,
        rest: Vec<u8>,
        leading: bool,
    ) -> FoundInclude {
        let (kind, name) = match named {
            Some((true, name)) => (IncludeKind::Angled, name),
            Some((false, name)) => (IncludeKind::Quoted, name),
            None => (IncludeKind::Computed, rest),
        };
        let line = self.line(hash);
        let inside = self.is_inside();
        let include = Include { name, kind, next, line, conditional: false, leading, inside };
        FoundInclude { include, depth: self.conditions.len(), guarded: self.seems_guarded() }
    }

    /// The line of an offset; offsets must come in their order.
    fn line(&mut self, offset: usize) -> u32 {
        let (from, line) = self.counted;
        let between = self.lexer.text.get(from..offset).unwrap_or_default();
        let newlines = between.iter().filter(|byte| **byte == b'\n').count();
        // A lone carriage return ends a line too.
        let lone = |(at, byte): (usize, &u8)| *byte == b'\r' && self.lexer.text.get(from + at + 1) != Some(&b'\n');
        let returns =
            if self.lexer.doubtful { between.iter().enumerate().filter(|each| lone(*each)).count() } else { 0 };
        self.counted = (from.max(offset), line.saturating_add((newlines + returns) as u32));
        self.counted.1
    }

    /// Whether the text may be inside a declaration. Words in capitals are taken for macros that
    /// stand alone (`G_BEGIN_DECLS`).
    fn is_inside(&self) -> bool {
        let is_end = match self.within.last {
            None | Some(TokenKind::Sign(b';' | b'}' | b')')) => true,
            Some(TokenKind::Word(word)) => !self.lexer.words.text(word).iter().any(u8::is_ascii_lowercase),
            Some(_) => false,
        };
        self.within.brackets > 0 || !is_end
    }

    fn first_word(&self) -> Option<Word> {
        match self.tokens.first()?.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The macro in `! defined X` or `! defined ( X )`.
    fn undefined_alone(&self) -> Option<Word> {
        let kinds: Vec<TokenKind> = self.tokens.iter().take(6).map(|token| token.kind).collect();
        match kinds.as_slice() {
            [TokenKind::Sign(b'!'), TokenKind::Word(lex::DEFINED), TokenKind::Word(word)]
            | [
                TokenKind::Sign(b'!'),
                TokenKind::Word(lex::DEFINED),
                TokenKind::Sign(b'('),
                TokenKind::Word(word),
                TokenKind::Sign(b')'),
            ] => Some(*word),
            _ => None,
        }
    }

    /// A condition begins, which may be a guard if it only tests that a macro is not defined.
    fn open(&mut self, undefined: Option<Word>) {
        match undefined {
            Some(word) if self.around == Around::Begin => {
                self.around = Around::Opened(word);
                self.tokens.clear();
            }
            _ => self.matters(),
        }
        let is_zero = |token: &Token| token.kind == TokenKind::Number && self.lexer.bytes(token) == b"0";
        let foreign = match self.tokens.as_slice() {
            [zero] if is_zero(zero) => true,
            // In `#ifndef __cplusplus` only an `#else` is C++. Its brackets count too, which errs
            // towards more.
            tokens => undefined.is_none() && tokens.iter().any(|token| token.kind == TokenKind::Word(lex::CPLUSPLUS)),
        };
        let (depths, within) = (self.depths, self.within);
        self.conditions.push(Condition { depths, begin: within, end: within, foreign });
    }

    /// Another branch of a condition begins.
    fn branch(&mut self) {
        self.leading = false;
        match self.conditions.last_mut() {
            Some(condition) => {
                self.leaks |= condition.depths != self.depths;
                self.depths = condition.depths;
                condition.end_branch(self.within);
                self.within = condition.begin;
            }
            None => self.lexer.doubtful = true,
        }
        if let (Around::Inside(word), 1) = (self.around, self.conditions.len()) {
            self.around = Around::No(Some((word, true)));
        }
        self.is_no_guard();
    }

    /// A condition ends.
    fn close(&mut self) {
        match self.conditions.pop() {
            Some(mut condition) => {
                self.leaks |= condition.depths != self.depths;
                self.depths = condition.depths;
                condition.end_branch(self.within);
                self.within = condition.end;
            }
            None => self.lexer.doubtful = true,
        }
        match self.around {
            Around::Inside(word) if self.conditions.is_empty() => self.around = Around::Closed(word),
            _ => self.matters(),
        }
    }

    fn define(&mut self, hash: usize) -> bool {
        let Some(name) = self.lexer.token() else {
            self.matters();
            return true;
        };
        self.tokens.push(name);
        // A definition tests for no header: `#define __has_include(x) 0`.
        self.tokens(hash, true);
        let TokenKind::Word(macro_name) = name.kind else {
            self.matters();
            return true;
        };
        let is_function = self.tokens.get(1).is_some_and(|open| open.kind == TokenKind::Sign(b'(') && !open.spaced);
        let mut body = 1;
        let mut parameters = Vec::new();
        if is_function {
            let Some(length) = self.tokens.iter().position(|token| token.kind == TokenKind::Sign(b')')) else {
                self.matters();
                return true;
            };
            parameters.extend(self.tokens[2..length].iter().filter_map(|token| match token.kind {
                TokenKind::Word(word) => Some(word),
                _ => None,
            }));
            body = length + 1;
        }
        // A malicious text may have thousands.
        parameters.sort_unstable();
        let words = self.tokens[body..].iter().filter_map(|token| match token.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        });
        if self.around == Around::Opened(macro_name) && !is_function && words.clone().next().is_none() {
            self.around = Around::Inside(macro_name);
            self.tokens.clear();
            return false;
        }
        self.pastes.extend(self.pasted(body, &parameters).into_iter().map(|form| (macro_name, form)));
        let start = self.bodies.len();
        self.bodies.extend(words.filter(|word| parameters.binary_search(word).is_err()));
        self.definitions.push((macro_name, start..self.bodies.len()));
        self.defined_at.push((macro_name, self.lexer.at));
        let digest = self.definition_digest();
        self.definition_digests.push((macro_name, digest));
        if !is_function {
            self.plain.push(macro_name);
        }
        if self.bodies[start..].iter().any(|word| matches!(*word, lex::PRAGMA | lex::MS_PRAGMA))
            && !self.pragmas_are_harmless(body)
        {
            self.pragmas.push(macro_name);
        }
        self.matters();
        // The words of a replacement list count where the macro is used.
        self.tokens.clear();
        false
    }

    /// A digest of the definition whose tokens were read. Equal ones may follow one another (C11
    /// 6.10.3p2).
    fn definition_digest(&self) -> Digest {
        let mut text = Vec::new();
        for (at, token) in self.tokens.iter().enumerate().skip(1) {
            // A blank before the replacement list counts only if the list could be parameters.
            if token.spaced && (at > 1 || token.kind == TokenKind::Sign(b'(')) {
                text.push(b' ');
            }
            text.extend(self.lexer.bytes(token));
            text.push(0);
        }
        Digest::of(&text)
    }

    /// What the replacement list that begins at this token pastes together.
    fn pasted(&self, body: usize, parameters: &[Word]) -> Vec<PastedForm> {
        let tokens = &self.tokens[body..];
        let is_paste = |at: usize| match tokens.get(at..at + 2) {
            Some([one, two]) => one.kind == TokenKind::Sign(b'#') && two.kind == TokenKind::Sign(b'#') && !two.spaced,
            _ => false,
        };
        let operand = |at: usize| match tokens.get(at) {
            Some(Token { kind: TokenKind::Word(word), .. }) if parameters.binary_search(word).is_ok() => {
                Operand::Parameter
            }
            // Its parameter has no name of its own.
            Some(Token { kind: TokenKind::Word(word), .. })
                if matches!(self.lexer.words.text(*word), b"__VA_ARGS__" | b"__VA_OPT__") =>
            {
                Operand::Parameter
            }
            Some(Token { kind: TokenKind::Word(word), .. }) => Operand::Fixed(self.lexer.words.text(*word).to_vec()),
            Some(token) if token.kind == TokenKind::Number => Operand::Fixed(self.lexer.bytes(token)),
            // The end of a `__VA_OPT__`, or of a parameter that a macro stands for, pastes too.
            Some(Token { kind: TokenKind::Sign(b')'), .. }) => Operand::Parameter,
            _ => Operand::Other,
        };
        let mut found = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            if !is_paste(at) {
                at += 1;
                continue;
            }
            let mut operands = vec![at.checked_sub(1).map_or(Operand::Other, operand)];
            while is_paste(at) {
                operands.push(operand(at + 2));
                at += 3;
            }
            found.extend(paste::forms(&operands));
        }
        found
    }

    /// Whether every `_Pragma` from this token on is known, and harmless.
    fn pragmas_are_harmless(&self, body: usize) -> bool {
        let tokens = &self.tokens[body..];
        tokens.iter().enumerate().all(|(at, token)| match token.kind {
            TokenKind::Word(lex::MS_PRAGMA) => false,
            TokenKind::Word(lex::PRAGMA) => match tokens.get(at + 1..at + 3) {
                Some([open, literal]) if open.kind == TokenKind::Sign(b'(') && literal.kind == TokenKind::Literal => {
                    Effect::of_literal(&self.lexer.bytes(literal)) == Effect::Harmless
                }
                _ => false,
            },
            _ => true,
        })
    }

    fn pragma(&mut self, hash: usize) -> bool {
        let start = self.lexer.at;
        self.tokens(hash, false);
        let effect = Effect::of(&self.lexer.clean(start));
        if effect == Effect::Once {
            let depth = self.conditions.len();
            self.once = Some(self.once.map_or(depth, |known| known.min(depth)));
            self.tokens.clear();
        } else {
            self.matters();
            self.comment_is_doubtful();
        }
        self.apply(&effect);
        if let Effect::Poison(names) = effect {
            self.poisoned.extend(names);
        }
        true
    }

    /// A `_Pragma` outside of directives; the word was just read.
    fn pragma_in_code(&mut self) {
        let open = self.lexer.token();
        let literal = open.filter(|open| open.kind == TokenKind::Sign(b'(')).and_then(|_| self.lexer.token());
        let effect = match literal {
            Some(literal) if literal.kind == TokenKind::Literal => Effect::of_literal(&self.lexer.bytes(&literal)),
            _ => Effect::Other,
        };
        for token in [open, literal].into_iter().flatten() {
            self.pass(token.kind);
        }
        match effect {
            // Their words would have to be found in the literal first.
            Effect::Once | Effect::Poison(_) => self.leaks = true,
            effect => self.apply(&effect),
        }
    }

    fn apply(&mut self, effect: &Effect) {
        match effect.on(self.depths) {
            Some(depths) => self.depths = depths,
            None => self.leaks = true,
        }
    }

    /// `#error`, `#line` and others.
    fn other(&mut self, hash: usize, name: &[u8]) -> bool {
        self.tokens(hash, false);
        // A `#` alone does nothing.
        if name.is_empty() && self.tokens.is_empty() {
            return false;
        }
        self.matters();
        self.comment_is_doubtful();
        // It reads a file.
        self.leaks |= name == b"embed";
        self.embeds |= name == b"embed";
        true
    }

    /// In an `#error` and some `#pragma`s, what looks like a comment is one only if the line is
    /// skipped. That matters if the comment continues in the next line.
    fn comment_is_doubtful(&mut self) {
        let text = self.lexer.text;
        let goes_on = |comment: &Range<usize>| text[comment.clone()].contains(&b'\n');
        self.lexer.doubtful |= self.lexer.comments().iter().any(goes_on);
    }

    fn finish(mut self, text: &[u8], names: &Names) -> Scan {
        let guarded = self.has_guard();
        if let Around::Inside(word) = self.around {
            self.around = Around::No(Some((word, true)));
        } else if let Around::Opened(word) = self.around {
            self.around = Around::No(Some((word, false)));
        }
        let mut guard = Guard::None;
        if self.once.is_some_and(|depth| depth <= usize::from(guarded)) {
            guard = Guard::Once;
        }
        // The words of what only seemed to be a guard count too.
        if let Around::No(Some((word, defined))) = self.around {
            self.lexer.words.mark_called(word, self.lexer.at);
            if defined {
                self.plain.push(word);
                self.definitions.push((word, 0..0));
                self.defined_at.push((word, 0));
            }
        }
        self.leaks |= self.depths != [0; 4] || !self.conditions.is_empty();
        // The next file may begin with a `(`.
        self.last_is_called();
        let balanced = self.calls.open == 0 && !self.calls.unbalanced && !self.lexer.doubtful;
        let open = self.is_inside();
        let (words, form) = self.lexer.finish();
        self.leaks |= form.is_none();
        self.embeds |= form.is_none();
        let form = match form {
            Some(mut form) => {
                form.push(1);
                Digest::of(&form)
            }
            None => Digest::of(&[text, &[0]].concat()),
        };
        let poisoned = self.poisoned.iter().map(Vec::as_slice);
        let all = names.intern_all(words.all().map(|(text, _)| text).chain(poisoned));
        let name = |word: &Word| all[word.0 as usize];
        if let Around::Closed(word) = self.around {
            guard = Guard::Macro(name(&word));
        }
        let poisoned = &all[words.count()..];
        let bare = (0..words.count()).filter(|at| balanced && words.is_bare(Word(*at as u32))).map(|at| all[at]);
        let plain = sorted(self.plain.iter().map(name).chain(poisoned.iter().copied()).collect());
        let functions = self.definitions.iter().map(|(word, _)| name(word));
        let functions = functions.filter(|name| plain.binary_search(name).is_err());
        let mut uniform =
            sorted(self.definition_digests.iter().map(|(word, digest)| (name(word), *digest)).collect::<Vec<_>>());
        let changed: HashSet<Name> = {
            let twice = uniform.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0);
            twice.chain(self.undefined.iter().map(name)).chain(poisoned.iter().copied()).collect()
        };
        uniform.retain(|(name, _)| !changed.contains(name));
        let defined = self.defined_at.iter().map(|(word, at)| (name(word), *at));
        let defines = with_lines(text, defined.chain(poisoned.iter().map(|name| (*name, 0))).collect());
        let used = words.all().zip(&all).filter_map(|((_, used), name)| Some((*name, used?)));
        let settle = |found: Vec<FoundInclude>| -> Vec<Include> {
            let settle = |FoundInclude { mut include, depth, guarded: behind }| {
                include.conditional = depth > usize::from(guarded);
                include.leading &= guarded || !behind;
                include
            };
            found.into_iter().map(settle).collect()
        };
        Scan {
            includes: settle(self.includes),
            probes: settle(self.probes),
            guard,
            defines,
            words: with_lines(text, used.collect()),
            bare: sorted(bare.collect()),
            functions: sorted(functions.collect()),
            bodies: bodies(&self.definitions, &self.bodies, name),
            uniform,
            pragmas: sorted(self.pragmas.iter().map(name).collect()),
            pastes: sorted(self.pastes.iter().map(|(word, form)| (name(word), form.clone())).collect()),
            leaks: self.leaks,
            embeds: self.embeds,
            open,
            normalized: form,
            content: Digest::of(text),
        }
    }
}

impl Within {
    /// Notes a token outside of directives.
    fn pass(&mut self, kind: TokenKind) {
        match kind {
            TokenKind::Sign(b'(' | b'[' | b'{') => self.brackets += 1,
            TokenKind::Sign(b')' | b']' | b'}') => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        self.last = Some(kind);
    }
}

impl Condition {
    /// Ends a branch.
    fn end_branch(&mut self, within: Within) {
        if !self.foreign && within.brackets >= self.end.brackets {
            self.end = within;
        }
    }
}

/// Whether a directive is a condition or ends one.
fn is_condition(name: &[u8]) -> bool {
    matches!(name, b"if" | b"ifdef" | b"ifndef" | b"elif" | b"elifdef" | b"elifndef" | b"else" | b"endif")
}

/// Names with the lines in which they are used first, in place of the offsets; sorted by name.
fn with_lines(text: &[u8], mut used: Vec<(Name, usize)>) -> Vec<(Name, u32)> {
    used.sort_unstable_by_key(|(_, at)| *at);
    let (mut from, mut line) = (0, 1u32);
    let mut found: Vec<(Name, u32)> = Vec::with_capacity(used.len());
    for (name, at) in used {
        let at = at.min(text.len());
        let newlines = text[from..at].iter().filter(|byte| **byte == b'\n').count();
        (from, line) = (at, line.saturating_add(newlines as u32));
        found.push((name, line));
    }
    found.sort_unstable();
    found.dedup_by_key(|(name, _)| *name);
    found
}

/// The words in the replacement lists of each macro.
fn bodies(
    definitions: &[(Word, Range<usize>)],
    words: &[Word],
    name: impl Fn(&Word) -> Name,
) -> Vec<(Name, Vec<Name>)> {
    let mut bodies: Vec<(Name, Vec<Name>)> = Vec::with_capacity(definitions.len());
    let mut order: Vec<(Name, &Range<usize>)> = definitions.iter().map(|(word, range)| (name(word), range)).collect();
    order.sort_by_key(|(name, _)| *name);
    for (macro_name, range) in order {
        let body = words[range.clone()].iter().map(&name);
        match bodies.last_mut() {
            Some((last, all)) if *last == macro_name => all.extend(body),
            _ => bodies.push((macro_name, body.collect())),
        }
    }
    for (_, body) in &mut bodies {
        *body = sorted(std::mem::take(body));
    }
    bodies
}

fn sorted<T: Ord>(mut names: Vec<T>) -> Vec<T> {
    names.sort_unstable();
    names.dedup();
    names.shrink_to_fit();
    names
}
