//! A text with its tokens, as edits look at it: white space left out, and the neighbours of a
//! token at hand.

use std::cell::RefCell;
use std::rc::Rc;

use crate::edit::EditError;
use crate::lex::{Kind, Token, lex};

/// A text and its tokens without white space, in order; everything refers to a token by its index.
/// Code means tokens that are neither comments nor part of a directive.
pub(crate) struct Source<'t> {
    /// The text.
    pub(crate) text: &'t [u8],
    /// Its tokens.
    pub(crate) tokens: Rc<[Token]>,
}

/// A text and its tokens without white space.
type Known = (Box<[u8]>, Rc<[Token]>);

thread_local! {
    /// What was taken apart last. Many edits of one text follow each other, and each looks at its tokens.
    static LAST: RefCell<Option<Known>> = const { RefCell::new(None) };
}

impl<'t> Source<'t> {
    /// Takes a text apart.
    pub(crate) fn new(text: &'t [u8]) -> Self {
        let tokens = LAST.with_borrow_mut(|last| match last {
            Some((known, tokens)) if **known == *text => Rc::clone(tokens),
            last => {
                let tokens = Source::of_part(text).tokens;
                *last = Some((text.into(), Rc::clone(&tokens)));
                tokens
            }
        });
        Source { text, tokens }
    }

    /// Takes a part of a text apart, in which no comment or directive that began before goes on.
    pub(crate) fn of_part(text: &'t [u8]) -> Self {
        let mut tokens = lex(text);
        tokens.retain(|token| !token.kind.is_space());
        Source { text, tokens: tokens.into() }
    }

    /// The token that begins at an offset.
    pub(crate) fn at(&self, offset: usize) -> Option<usize> {
        self.tokens.binary_search_by_key(&offset, |token| token.span.start).ok()
    }

    /// The token that is the word `name`, in code, at an offset.
    pub(crate) fn word_at(&self, offset: usize, name: &str) -> Result<usize, EditError> {
        let found = self.at(offset).filter(|index| self.is_word(*index) && self.bytes(*index) == name.as_bytes());
        let index = found.ok_or_else(|| EditError::NotWritten(name.to_owned()))?;
        match self.tokens[index].in_directive {
            true => Err(EditError::InDirective(name.to_owned())),
            false => Ok(index),
        }
    }

    /// The code before a token; `None` if a directive comes first.
    pub(crate) fn before(&self, index: usize) -> Option<usize> {
        let found = self.tokens[..index].iter().rposition(|token| token.in_directive || !token.kind.is_comment());
        found.filter(|index| !self.tokens[*index].in_directive)
    }

    /// The code behind a token; `None` if a directive comes first.
    pub(crate) fn after(&self, index: usize) -> Option<usize> {
        let mut rest = self.tokens[index + 1..].iter();
        let found = rest.position(|token| token.in_directive || !token.kind.is_comment());
        found.map(|skipped| index + 1 + skipped).filter(|index| !self.tokens[*index].in_directive)
    }

    /// The bytes of a token.
    pub(crate) fn bytes(&self, index: usize) -> &'t [u8] {
        &self.text[self.tokens[index].span.clone()]
    }

    /// The offset at which a token begins.
    pub(crate) fn start(&self, index: usize) -> usize {
        self.tokens[index].span.start
    }

    /// The offset behind a token.
    pub(crate) fn end(&self, index: usize) -> usize {
        self.tokens[index].span.end
    }

    /// Whether a token is a word.
    pub(crate) fn is_word(&self, index: usize) -> bool {
        self.tokens[index].kind == Kind::Word
    }

    /// Whether a token is this punctuator, in code.
    pub(crate) fn is(&self, index: usize, punctuator: &str) -> bool {
        let token = &self.tokens[index];
        !token.in_directive && matches!(token.kind, Kind::Punctuator(own) if own == punctuator)
    }

    /// The `)` or `]` that closes a `(` or `[`. Directives are left out.
    pub(crate) fn close(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for index in (open..self.tokens.len()).filter(|index| !self.tokens[*index].in_directive) {
            match self.tokens[index].kind {
                Kind::Punctuator("(" | "[") => depth += 1,
                Kind::Punctuator(")" | "]") => match depth {
                    0 | 1 => return Some(index),
                    _ => depth -= 1,
                },
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_and_after_pass_over_comments_and_stop_at_directives() {
        let source = Source::new(b"a /* b */ c\n#if X\nd // e\n");
        assert_eq!(source.before(2), Some(0));
        assert_eq!(source.after(0), Some(2));
        assert_eq!(source.after(2), None, "a directive follows");
        let d = source.at(18).unwrap();
        assert_eq!(source.before(d), None, "a directive is before it");
        assert_eq!(source.after(d), None);
        assert_eq!(source.before(0), None);
    }

    #[test]
    fn brackets_close() {
        let source = Source::new(b"(a[(b)] /* ) */ ')' \n#define X )\n) )");
        assert_eq!(source.close(0).map(|index| source.start(index)), Some(33));
        assert_eq!(Source::new(b"(a(b)").close(0), None);
    }
}
